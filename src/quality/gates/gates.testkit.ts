import type { Gate, Step } from "../../domain/index.ts";
import type { CleanTree, CommandEnd, GateRun, GatesEnd } from "./contract.ts";
import { matches } from "./globs.ts";
import { runGates } from "./run.ts";

export type Files = Readonly<Record<string, string>>;

/** A file that is too large to be looked into, and the beginning of one that is a link. */
export const LARGE = "\u0001large";
export const LINK = "\u0001link to ";

/** What a command in a clean checkout does: how it ends, and what it writes. */
export type Does = (command: string) => { code?: number; kind?: CommandEnd["kind"]; tail?: string; writes?: Files };

export interface Judging {
  gates: Gate[];
  before?: Files;
  after: Files;
  step?: Partial<Pick<Step, "outputs" | "touches">>;
  phase?: GateRun["phase"];
  /** By commit. */
  does?: { before?: Does; after?: Does };
  once?: GateRun["once"];
  judge?: GateRun["judge"];
  from?: string;
}

const linesOf = (text: string | undefined): number => (text === undefined || text === "" ? 0 : text.split("\n").length);

/** Runs gates over two trees that are values. Commands do what `does` says. */
export async function judged({
  gates,
  before = {},
  after,
  step,
  phase = "attempt",
  does = {},
  once,
  judge,
  from = "from",
}: Judging): Promise<GatesEnd> {
  const trees: Readonly<Record<string, Files>> = { [from]: before, tree: after };
  const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((path) => before[path] !== after[path]).sort();
  const list = (globs: readonly string[]): string[] => Object.keys(after).filter(matches(globs));
  let at = 0;
  const run: GateRun = {
    phase,
    tree: "tree",
    from,
    changes: async () =>
      paths.map((path) => ({
        path,
        added: linesOf(after[path]),
        removed: linesOf(before[path]),
        binary: after[path]?.includes("\0") ?? false,
      })),
    list: async (globs) => list(globs),
    missing: async (globs) => globs.filter((glob) => list([glob]).length === 0),
    read: async (commit, path) => {
      const text = trees[commit]?.[path];
      return text === undefined ? undefined : new TextEncoder().encode(text);
    },
    file: async (commit, path) => {
      const text = trees[commit]?.[path];
      if (text === undefined || text === LARGE) return text === undefined ? undefined : { kind: "large" };
      return text.startsWith(LINK) ? { kind: "link" } : { kind: "file", bytes: new TextEncoder().encode(text) };
    },
    judged: treeOf(does.after),
    before: treeOf(does.before),
    once: once ?? ((_, compute) => compute()),
    ...(judge ? { judge } : {}),
    now: () => (at += 7),
  };
  return runGates({ gates, outputs: { files: [] }, touches: [], env: {}, setup: [], ...step }, run);
}

function treeOf(does: Does = () => ({})): CleanTree {
  const written = new Map<string, string>();
  return {
    command: async (command) => {
      const { code = 0, kind = "exited", tail = "", writes = {} } = does(command);
      for (const [name, text] of Object.entries(writes)) written.set(name, text);
      return { kind, ...(kind === "exited" ? { code } : {}), durationMs: 5, tail };
    },
    clear: async (globs) => {
      for (const name of [...written.keys()].filter(matches(globs))) written.delete(name);
    },
    texts: async (globs) => [...written].filter(([name]) => matches(globs)(name)).map(([, text]) => text),
    printed: async (name) => [written.get(name)].filter((text) => text !== undefined),
  };
}
