import { createHash, randomBytes } from "node:crypto";
import { link, mkdir, open, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { deflate } from "node:zlib";
import { commitDates, ourIdentity } from "./environment.ts";
import type { Git, GitAnswer } from "./git.ts";
import type { Project } from "./project.ts";

export interface CommitPlan {
  tree: string;
  parents: readonly string[];
  title: string;
  trailers: Readonly<Record<string, string>>;
  /** Epoch ms. */
  at: number;
}

/** Writes a commit with a fixed identity: the same plan gives the same id. Moves no ref, runs no hook, signs nothing. */
export async function writeCommit(git: Git, project: Project, plan: CommitPlan): Promise<string> {
  // Who may read what in a shared repository is for git to say.
  return project.config.shared === undefined ? writeLoose(project, plan) : commitTree(git, plan);
}

async function commitTree(git: Git, plan: CommitPlan): Promise<string> {
  const { tree, parents, at } = plan;
  return only(
    await git(["commit-tree", "--no-gpg-sign", ...parents.flatMap((parent) => ["-p", parent]), "-F", "-", tree], {
      input: messageOf(plan),
      env: commitDates(at),
    }),
  );
}

const deflated = promisify(deflate);

/**
 * The same object as `git commit-tree` writes, without a process: two are saved for every step, at 4 ms each. The format of a loose object:
 * https://git-scm.com/book/en/v2/Git-Internals-Git-Objects (Object Storage).
 */
async function writeLoose(project: Project, plan: CommitPlan): Promise<string> {
  const who = `${ourIdentity.name} <${ourIdentity.email}> ${Math.floor(plan.at / 1000)} +0000`;
  const head = [`tree ${plan.tree}`, ...plan.parents.map((parent) => `parent ${parent}`), `author ${who}`, `committer ${who}`];
  const body = Buffer.from(`${head.join("\n")}\n\n${messageOf(plan)}`);
  const whole = Buffer.concat([Buffer.from(`commit ${body.length}\0`), body]);
  const id = createHash(project.objectFormat).update(whole).digest("hex");
  const folder = join(project.objectsDir, id.slice(0, 2));
  const file = join(folder, id.slice(2));
  if (await stat(file).catch(() => undefined)) return id;
  const packed = await deflated(whole);
  await mkdir(folder, { recursive: true });
  const draft = join(folder, `tmp_obj_${randomBytes(6).toString("hex")}`);
  try {
    const handle = await open(draft, "wx", 0o444);
    try {
      await handle.writeFile(packed);
      await handle.sync();
    } finally {
      await handle.close();
    }
    // Not `rename`: an object that somebody else has written meanwhile is the same one.
    await link(draft, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
  } finally {
    await rm(draft, { force: true });
  }
  return id;
}

function messageOf({ title, trailers }: CommitPlan): string {
  const lines = Object.entries(trailers).map(([key, value]) => `${key.replace(/[^A-Za-z0-9-]+/g, "-")}: ${oneLine(value)}`);
  return `${oneLine(title) || "Work of an attempt"}\n\n${lines.join("\n")}\n`;
}

/** git would take a text with code points that are no characters for Latin-1. */
const oneLine = (text: string): string =>
  text
    .replace(/[\s\0]+/g, " ")
    .replace(/\p{Noncharacter_Code_Point}/gu, "\ufffd")
    .trim();

/** The one line a command answered. */
export const only = (answer: GitAnswer): string => answer.stdout.toString("utf8").trim();
