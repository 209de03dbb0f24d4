import { expect, test } from "vitest";
import { onlyFile } from "./diff.ts";

const diff = `diff --git a/a.txt b/a.txt
index 1..2 100644
--- a/a.txt
+++ b/a.txt
@@ -1 +1 @@
-diff --git a/b.txt b/b.txt
+x
diff --git a/b.txt b/c.txt
similarity index 90%
rename from b.txt
rename to c.txt
--- a/b.txt
+++ b/c.txt
@@ -1 +1 @@
-1
+2
`;

test("one file's part of a diff is found by its old and by its new name, and not by what stands in another file", () => {
  expect(onlyFile(diff, "a.txt")).toContain("+x");
  expect(onlyFile(diff, "a.txt")).not.toContain("+2");
  for (const name of ["b.txt", "c.txt"]) {
    expect(onlyFile(diff, name)).toContain("+2");
    expect(onlyFile(diff, name)).not.toContain("+x");
  }
  expect(onlyFile(diff, "d.txt")).toBe("");
});
