import fc from "fast-check";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeCommit, type CommitPlan } from "./commit.ts";
import { openProject } from "./index.ts";
import { projectGit } from "./repository-git.ts";
import { at, Scratch } from "./scratch-project.testkit.ts";

for (const format of ["sha1", "sha256"])
  test(`a commit written without git is, byte for byte, the one git would have written (${format})`, async () => {
    await using s = new Scratch();
    const dir = s.repository("p", { "a.txt": "a\n" }, `--object-format=${format}`);
    const project = await openProject(dir, { env: s.env });
    const git = projectGit(project, s.home);
    const tree = s.git(dir, "rev-parse", "HEAD^{tree}");
    const parents = [project.head];
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: "binary", maxLength: 80 }),
        fc.string({ maxLength: 30 }),
        fc.integer({ min: 0, max: 4e12 }),
        async (title, value, when) => {
          const plan: CommitPlan = { tree, parents, title, trailers: { "Stepfall-Attempt": value }, at: when };
          const own = await writeCommit(git.objects, project, plan);
          const gits = await writeCommit(git.objects, { ...project, config: { ...project.config, shared: "group" } }, plan);
          expect(own).toBe(gits);
        },
      ),
      { numRuns: 12 },
    );
    const kept = await writeCommit(git.objects, project, { tree, parents, title: "kept", trailers: {}, at });
    expect(s.git(dir, "cat-file", "-t", kept)).toBe("commit");
    s.git(dir, "update-ref", "refs/heads/kept", kept);
    expect(s.git(dir, "fsck", "--full", "--strict")).not.toMatch(/error|missing|corrupt/);
    const drafts = readdirSync(join(dir, ".git/objects"), { recursive: true }).filter((f) => String(f).includes("tmp_obj"));
    expect(drafts).toEqual([]);
  });
