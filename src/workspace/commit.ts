import { commitDates } from "./environment.ts";
import type { Git, GitAnswer } from "./git.ts";

export interface CommitPlan {
  tree: string;
  parents: readonly string[];
  title: string;
  trailers: Readonly<Record<string, string>>;
  /** Epoch ms. */
  at: number;
}

/** Writes a commit with a fixed identity: the same plan gives the same id. Moves no ref, runs no hook, signs nothing. */
export async function writeCommit(git: Git, { tree, parents, title, trailers, at }: CommitPlan): Promise<string> {
  const lines = Object.entries(trailers).map(([key, value]) => `${key.replace(/[^A-Za-z0-9-]+/g, "-")}: ${oneLine(value)}`);
  const message = `${oneLine(title) || "Work of an attempt"}\n\n${lines.join("\n")}\n`;
  return only(
    await git(["commit-tree", "--no-gpg-sign", ...parents.flatMap((parent) => ["-p", parent]), "-F", "-", tree], {
      input: message,
      env: commitDates(at),
    }),
  );
}

const oneLine = (text: string): string => text.replace(/\s+/g, " ").trim();

/** The one line a command answered. */
export const only = (answer: GitAnswer): string => answer.stdout.toString("utf8").trim();
