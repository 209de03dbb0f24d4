import { noLog, type Log, type LogSink } from "../logs/index.ts";
import { openLog } from "./log.ts";
import { openOnlookers } from "./onlookers.ts";
import { loadSettings } from "./settings.ts";
import { openStore } from "./store.ts";
import type { Surroundings } from "./surroundings.ts";

/** Whoever ends a server does not wait for a webhook that is down: its deliveries are kept. */
const CLOSE_MS = 1000;

/** What a server has beside its answers: its log, and whoever is told of what happens, also of what runs that are over have left. */
export interface BesideServer extends AsyncDisposable {
  log: Log;
}

/** With the user's settings. Where these cannot be read, or name a hook that cannot be, that is told, and the server does without. */
export async function openBesideServer(cli: Surroundings, tell: (notice: string) => void): Promise<BesideServer> {
  const config = await loadSettings(cli, {}).catch((error: unknown) => {
    tell(`Settings cannot be read, so no log is written and no hook is told by this server: ${firstLine(error)}`);
    return undefined;
  });
  if (!config) return { log: noLog, [Symbol.asyncDispose]: () => Promise.resolve() };
  const sinks: LogSink[] = [];
  const log = openLog(cli, config, { process: "server", more: sinks });
  const store = await openStore(cli, log);
  const { hooks, telemetry } = await openOnlookers(cli, config, { store, log, sinks, tell }).catch((error: unknown) => {
    tell(`No hook is told by this server: ${firstLine(error)}`);
    log.warn("hooks-not-opened", "no hook is told by this server", { room: "hooks", error });
    return { hooks: undefined, telemetry: undefined };
  });
  hooks?.kick();
  return {
    log,
    async [Symbol.asyncDispose]() {
      await Promise.all([hooks?.close(CLOSE_MS), telemetry?.close()]);
      await store.close();
    },
  };
}

const firstLine = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
