import type { Config } from "../config/index.ts";
import { runStream } from "../domain/index.ts";
import type { Veto } from "../engine/index.ts";
import { compileHooks, createVeto, Deliverer, Letters, LetterWriter, type CallingWith, type Hook, type Letter } from "../hooks/index.ts";
import type { Log } from "../logs/index.ts";
import type { Store } from "../store/index.ts";
import { openProject } from "../workspace/index.ts";
import { isDead, thisHolder } from "./identity.ts";
import { readServerRecord } from "./server-record.ts";
import { loadSettings } from "./settings.ts";
import type { Surroundings } from "./surroundings.ts";

/** What programs of the user's get of the environment: what any needs, and what a desktop notification does. */
const forHooks = [
  "PATH",
  "HOME",
  "USER",
  "LANG",
  "LC_ALL",
  "LC_CTYPE",
  "TZ",
  "DISPLAY",
  "WAYLAND_DISPLAY",
  "XDG_RUNTIME_DIR",
  "DBUS_SESSION_BUS_ADDRESS",
];

/** How long the end of a process waits for deliveries that are under way. */
const FLUSH_MS = 5000;

export interface OpenedHooks {
  /** `undefined`: no hook may refuse anything. */
  veto: Veto | undefined;
  /** Something happened: it is delivered soon. */
  kick(): void;
  /** Tries for so long to deliver what is there; `alsoElsewhere`: waits for what another process delivers, too. */
  flush(mostMs: number, options?: { alsoElsewhere: boolean }): Promise<{ waiting: Letter[] }>;
  /** Waits so long at most for what is under way (default 5 s), and tells what is left. */
  close(mostMs?: number): Promise<void>;
}

/** `undefined` where neither these settings nor this home have hooks. Throws HooksError. */
export async function openHooks(
  cli: Surroundings,
  config: Config,
  { store, log, tell }: { store: Store; log: Log; tell: (notice: string) => void },
): Promise<OpenedHooks | undefined> {
  const own = compileHooks(config.hooks, config.notify);
  if (own.length === 0 && !Letters.inUse(config.home)) return undefined;
  const notices = new Set<string>();
  const notice = (text: string): void => void notices.add(text);
  const world: CallingWith = { ...callingWith(cli, config), dashboard: () => readServerRecord(config.home)?.url };
  // Those that are only asked need nobody who delivers.
  const tells = own.some((h) => !h.veto) || Letters.inUse(config.home);
  const writer = new LetterWriter({ store, hooksOf: hooksFinder(cli, config, store, notice), world, notice });
  const options = { store, clock: cli.clock, home: config.home, holder: thisHolder(), isDead, writer, world, notice, log };
  const deliverer = tells ? new Deliverer(options) : undefined;
  await deliverer?.open();
  let isKicked = false;
  const flush: OpenedHooks["flush"] = async (mostMs, how) => (await deliverer?.flush(mostMs, how)) ?? { waiting: [] };
  return {
    veto: createVeto(own, world, cli.clock),
    kick() {
      isKicked = true;
      deliverer?.kick();
    },
    flush,
    async close(mostMs = FLUSH_MS) {
      const { waiting } = isKicked ? await flush(mostMs) : { waiting: [] };
      await deliverer?.[Symbol.asyncDispose]();
      for (const text of notices) tell(text);
      const [first] = waiting;
      if (first) tell(`${howMany(waiting.length)}${reason(first)}; \`stepfall hooks --retry\` sends what is left`);
    },
  };
}

const howMany = (n: number): string => (n === 1 ? "1 delivery of a hook waits" : `${n} deliveries of hooks wait`);
const reason = ({ callee, lastError }: Letter): string =>
  lastError === undefined ? "" : ` (${callee.name}: ${lastError.split("\n")[0] ?? ""})`;

const callingWith = (cli: Surroundings, { home, secrets }: Config): CallingWith => ({
  env: Object.fromEntries(forHooks.flatMap((name) => (cli.env[name] ? [[name, cli.env[name]]] : []))),
  secret: (name) => secrets.get(name),
  mask: (text) => secrets.mask(text),
  cwd: home,
  program: "stepfall",
});

/** For so long what was read is good: a process that delivers for days is to hear of hooks that were changed. */
const FRESH_MS = 10_000;
const MOST_KEPT = 200;

/** The hooks of a run: those of its base commit, and the user's. */
function hooksFinder(cli: Surroundings, config: Config, store: Store, notice: (text: string) => void) {
  const load = async (request: Parameters<typeof loadSettings>[1]): Promise<readonly Hook[]> => {
    const { hooks, notify } = await loadSettings({ ...cli, home: config.home }, request);
    return compileHooks(hooks, notify);
  };
  const kept = new Map<string, { at: number; hooks: Promise<readonly Hook[]> }>();
  const fresh = (key: string, find: () => Promise<readonly Hook[]>): Promise<readonly Hook[]> => {
    const now = cli.clock.now();
    const known = kept.get(key);
    if (known && Math.abs(now - known.at) < FRESH_MS) return known.hooks;
    const hooks = find();
    // What could not be read is read again: settings are mended.
    hooks.catch(() => kept.delete(key));
    keep(kept, key, { at: now, hooks });
    return hooks;
  };
  const users = (): Promise<readonly Hook[]> => fresh("", async () => load({}));
  const bases = new Map<string, { project: string; base: string }>();
  return async (runId: string | undefined): Promise<readonly Hook[]> => {
    if (runId === undefined) return users();
    const run = bases.get(runId) ?? (await baseOf(store, runId));
    if (!run) return users();
    keep(bases, runId, run);
    return fresh(`${run.project}\n${run.base}`, async () => {
      try {
        const project = await openProject(run.project, { env: cli.env });
        return await load({ project, at: run.base });
      } catch (error) {
        // Its project is gone, or its settings are such that it could not be driven either.
        notice(`hooks of ${run.project} cannot be read, only your own are told: ${error instanceof Error ? error.message : String(error)}`);
        return users();
      }
    });
  };
}

function keep<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MOST_KEPT && oldest !== undefined) map.delete(oldest);
}

async function baseOf(store: Store, runId: string): Promise<{ project: string; base: string } | undefined> {
  const [first] = await store.read(runStream(runId), { limit: 1 });
  return first?.event.type === "RunStarted" ? { project: first.event.data.project, base: first.event.data.base } : undefined;
}
