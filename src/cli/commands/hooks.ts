import type { HookSettings } from "../../config/index.ts";
import { compileHooks, Letters, OFFSET, type Letter } from "../../hooks/index.ts";
import { projectHere } from "../../setup/find-run.ts";
import { openHooks } from "../../setup/hooks.ts";
import { openLog } from "../../setup/log.ts";
import { homeOf, loadSettings } from "../../setup/settings.ts";
import { openStore } from "../../setup/store.ts";
import { Exit, type Cli } from "../cli.ts";
import { plural } from "../show/format.ts";
import { table } from "../show/table.ts";

const RETRY_MS = 60_000;

/** `stepfall hooks`: which there are here, and what could not be delivered. `retry` sends that again. */
export async function hooks(cli: Cli, { retry }: { retry: boolean }): Promise<number> {
  const project = await projectHere(cli);
  const config = await loadSettings(cli, project ? { project, at: project.head } : {});
  const { notify } = config;
  compileHooks(config.hooks, notify);
  const home = homeOf(cli);
  const letters = new Letters(home);
  const isUsed = Letters.inUse(home);
  if (retry) letters.revive();
  const unread = isUsed ? await lookAtJournal(cli, config, retry) : 0;
  const waiting = letters.list("pending");
  const dead = letters.list("dead");
  const left = waiting.length + dead.length + unread;
  const unreadable = letters.unreadable();
  if (cli.json) {
    const told = { waiting: waiting.map(shownLetter), dead: dead.map(shownLetter), unread, unreadable };
    cli.out.json({ version: 1, type: "hooks", hooks: config.hooks.map(shownHook), notify, ...told });
  } else
    cli.out.data(
      [hooksText(config.hooks), notifyText(notify), lettersText(waiting, dead, unread), unreadableText(unreadable, home)]
        .filter(Boolean)
        .join("\n\n"),
    );
  return retry && left > 0 ? Exit.failed : Exit.ok;
}

/** How many events nobody has looked at yet: an engine that was killed leaves some. `retry` looks at them, and delivers what waits. */
async function lookAtJournal(cli: Cli, config: Parameters<typeof openHooks>[1], retry: boolean): Promise<number> {
  const store = await openStore(cli);
  try {
    if (retry) {
      const log = openLog(cli, config, { process: "hooks" });
      const opened = await openHooks(cli, config, { store, log, tell: (notice) => cli.out.note(notice) });
      opened?.kick();
      await opened?.flush(RETRY_MS, { alsoElsewhere: true });
      await opened?.close();
    }
    const { globalSeq } = await store.commit({});
    return globalSeq - (await store.offset(OFFSET));
  } finally {
    await store.close();
  }
}

const callText = ({ call }: Pick<Letter["callee"], "call">): string => {
  switch (call.kind) {
    case "command":
      return call.command;
    case "webhook":
      return call.url;
    case "slack":
      return `the webhook in ${call.secret}`;
    case "desktop":
      return "this desktop";
    default:
      return call satisfies never;
  }
};

const shownHook = ({ name, from, on, if: filter, call, timeoutMs, retries, veto }: HookSettings) => ({
  name,
  from,
  on,
  ...(filter === undefined ? {} : { if: filter }),
  calls: callText({ call }),
  timeoutMs,
  retries,
  ...(veto ? { veto: true, onError: veto.onError } : {}),
});

const shownLetter = ({ id, callee, payload, runId, tries, lastError }: Letter) => ({
  id,
  hook: callee.name,
  event: payload.event.type,
  globalSeq: payload.globalSeq,
  ...(runId === undefined ? {} : { runId }),
  at: payload.event.at,
  tries,
  ...(lastError === undefined ? {} : { lastError }),
});

function hooksText(all: readonly HookSettings[]): string {
  if (all.length === 0) return "There are no hooks here; `hooks:` in stepfall.yaml or config.yaml names them.";
  const rows = all.map((h) => [
    h.name,
    h.from,
    h.on.join(", "),
    h.if ?? "",
    h.veto ? `may refuse (without an answer: ${h.veto.onError})` : "is told",
    callText(h),
  ]);
  return table([{ title: "HOOK" }, { title: "OF" }, { title: "ON" }, { title: "IF" }, { title: "" }, { title: "CALLS" }], rows);
}

function notifyText({ desktop, webhookSecret }: { desktop: boolean; webhookSecret?: string | undefined }): string {
  const who = [...(desktop ? ["this desktop"] : []), ...(webhookSecret === undefined ? [] : [`the webhook in ${webhookSecret}`])];
  return who.length === 0 ? "" : `What waits for people is told to ${who.join(" and ")}.`;
}

const unreadableText = (n: number, home: string): string =>
  n === 0
    ? ""
    : `${plural(n, "file")} in ${home}/hooks cannot be read as deliveries, or ${n === 1 ? "is" : "are"} of another version of Stepfall; nobody delivers ${n === 1 ? "it" : "them"}.`;

function lettersText(waiting: readonly Letter[], dead: readonly Letter[], unread: number): string {
  const toRead = `${plural(unread, "event")} of the journal ${unread === 1 ? "was" : "were"} not looked at yet; a run that goes on does, or \`stepfall hooks --retry\`.`;
  if (waiting.length + dead.length === 0) return unread > 0 ? toRead : "Everything was delivered.";
  const row = (state: string) => (l: Letter) => [
    state,
    l.callee.name,
    l.payload.event.type,
    l.runId ?? "",
    String(l.tries),
    (l.lastError ?? "").split("\n")[0]?.slice(0, 120) ?? "",
  ];
  const rows = [...waiting.map(row("waits")), ...dead.map(row("given up"))];
  const text = table(
    [{ title: "" }, { title: "HOOK" }, { title: "EVENT" }, { title: "RUN" }, { title: "TRIES", align: "right" }, { title: "LAST" }],
    rows,
  );
  return `${text}\n\`stepfall hooks --retry\` sends them again.${unread > 0 ? `\n${toRead}` : ""}`;
}
