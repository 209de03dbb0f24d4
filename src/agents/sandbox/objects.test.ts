import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { objectFolders } from "./objects.ts";

test("the objects of a repository that borrows from one that borrows are all found, also in a circle", () => {
  const folder = mkdtempSync(join(tmpdir(), "stepfall-objects-"));
  try {
    const [a, b, c] = ["a", 'b "quoted"', "c"].map((name) => join(folder, name, "objects")) as [string, string, string];
    for (const path of [a, b, c]) mkdirSync(join(path, "info"), { recursive: true });
    writeFileSync(join(a, "info/alternates"), `# comment\n"${b.replaceAll('"', '\\"')}"\n`);
    writeFileSync(join(b, "info/alternates"), "../../c/objects\n");
    writeFileSync(join(c, "info/alternates"), `${a}\n`);
    expect(objectFolders(a)).toEqual([a, b, c]);
    expect(objectFolders(join(folder, "none"))).toEqual([join(folder, "none")]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
