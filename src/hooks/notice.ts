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

/** What waits, of which run, and where to answer: at `dashboard`, where the server of the home is reached, and what to type. */
export function noticeOf({ event, run }: Payload, { program, dashboard }: { program: string; dashboard: string | undefined }): Notice {
  const { item, step, kind, title, choices } = event.data as Opened;
  const answer = howToAnswer(kind, item, choices, program);
  const where = run && dashboard !== undefined ? `Answer at ${urlOf(dashboard, run.id, step)} or with: ` : "Answer with: ";
  return {
    title: oneLine(`${KINDS[kind]} waits in ${run?.pipeline ?? "a run"}`, 200),
    text: `${oneLine(title, 300)}\nStep ${oneLine(step, 200)} of run ${run?.id ?? "?"}. ${where}${oneLine(answer, 500)}`,
  };
}

/** The step's page, which asks a browser that is not logged in to do so: no link that is sent around lets anybody in. */
function urlOf(dashboard: string, run: string, step: string): string {
  // As the dashboard writes it itself: what would be read as a number is quoted.
  const shown = /^(?:-?\d|true$|false$|null$|["[{])/.test(step) ? JSON.stringify(step) : step;
  return `${dashboard}/runs/${encodeURIComponent(run)}?step=${encodeURIComponent(shown)}`;
}

function howToAnswer(kind: Opened["kind"], item: string, choices: readonly string[], program: string): string {
  const quoted = /^[\w./#!-]+$/.test(item) && !item.includes("!") ? item : `'${item.replaceAll("'", `'\\''`)}'`;
  if (kind === "approval" || kind === "permission") return `${program} approve ${quoted} (or reject)`;
  const of = choices.length > 0 ? ` (${choices.map((c) => oneLine(c, 40)).join(", ")})` : "";
  return `${program} answer ${quoted} TEXT${of}`;
}

/** Plain text: nothing of a title becomes a mention or a link. */
export function slackBody({ title, text }: Notice): { text: string; mrkdwn: boolean } {
  return { text: escaped(`${title}\n${text}`), mrkdwn: false };
}

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** The program of this desktop; `undefined` where there is none. Texts are arguments: no shell and no script reads them. */
export function desktopArgv({ title, text }: Notice, path: string | undefined): readonly [string, ...string[]] | undefined {
  const linux = find("notify-send", path);
  // Desktops read the text as markup: nothing of a title becomes a link or a picture.
  if (linux) return [linux, "--app-name=Stepfall", "--", title, escaped(text)];
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

/** Without what moves a cursor, and what no program can be given. */
const oneLine = (text: string, most: number): string => {
  const line = text.replaceAll(/[\s\p{Cc}]+/gu, " ").trim();
  return line.length > most ? `${line.slice(0, most - 1)}…` : line;
};
