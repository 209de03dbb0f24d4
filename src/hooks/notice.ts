import { accessSync, constants } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import type { Payload } from "./contract.ts";

/** What a person is told of an item that waits. */
export interface Notice {
  title: string;
  text: string;
}

interface Opened {
  item: string;
  step: string;
  kind: "approval" | "question" | "permission" | "budget";
  title: string;
  choices: readonly string[];
}

const KINDS = { approval: "An approval", question: "A question", permission: "An agent's request", budget: "A spent budget" } as const;

/** What waits, of which run, and what to type. */
export function noticeOf({ event, run }: Payload, program: string): Notice {
  const { item, step, kind, title, choices } = event.data as Opened;
  const pipeline = run?.pipeline ?? "a run";
  const answer = howToAnswer(kind, item, choices, program);
  return {
    title: `${KINDS[kind]} waits in ${pipeline}`,
    text: `${oneLine(title, 300)}\nStep ${step} of run ${run?.id ?? "?"}. Answer with: ${answer}`,
  };
}

function howToAnswer(kind: Opened["kind"], item: string, choices: readonly string[], program: string): string {
  const quoted = /^[\w./#!-]+$/.test(item) && !item.includes("!") ? item : `'${item.replaceAll("'", `'\\''`)}'`;
  if (kind === "approval" || kind === "permission") return `${program} approve ${quoted} (or reject)`;
  const of = choices.length > 0 ? ` (${choices.map((c) => oneLine(c, 40)).join(", ")})` : "";
  return `${program} answer ${quoted} TEXT${of}`;
}

/** Plain text: nothing of a title becomes a mention or a link. */
export function slackBody({ title, text }: Notice): { text: string; mrkdwn: boolean } {
  const escaped = `${title}\n${text}`.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return { text: escaped, mrkdwn: false };
}

/** The program of this desktop; `undefined` where there is none. Texts are arguments: no shell and no script reads them. */
export function desktopArgv({ title, text }: Notice, path: string | undefined): readonly [string, ...string[]] | undefined {
  const linux = find("notify-send", path);
  if (linux) return [linux, "--app-name=Stepfall", "--", title, text];
  const mac = find("osascript", path);
  if (!mac) return undefined;
  const lines = ["on run argv", "display notification (item 2 of argv) with title (item 1 of argv)", "end run"];
  return [mac, ...lines.flatMap((line) => ["-e", line]), title, text];
}

function find(name: string, path: string | undefined): string | undefined {
  for (const folder of (path ?? "").split(delimiter)) {
    if (!isAbsolute(folder)) continue;
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {
      continue;
    }
  }
  return undefined;
}

const oneLine = (text: string, most: number): string => {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
};
