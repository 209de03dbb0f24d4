import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../config/index.ts";
import type { Log, LogSink } from "../logs/index.ts";
import type { Store } from "../store/index.ts";
import type { OpenedHooks } from "./hooks.ts";
import type { Surroundings } from "./surroundings.ts";
import type { OpenedTelemetry } from "./telemetry.ts";

/** Who is told of what an engine does. Their code is loaded where the settings, or letters that are left in the home, ask for it. */
export async function openOnlookers(
  cli: Surroundings,
  config: Config,
  to: { store: Store; log: Log; sinks: LogSink[]; tell: (notice: string) => void },
): Promise<{ hooks?: OpenedHooks | undefined; telemetry?: OpenedTelemetry | undefined }> {
  const { hooks, notify, telemetry, home } = config;
  const asks = hooks.length > 0 || notify.desktop || notify.webhookSecret !== undefined || existsSync(join(home, "hooks"));
  return {
    hooks: asks ? await (await import("./hooks.ts")).openHooks(cli, config, to) : undefined,
    telemetry: telemetry && (await import("./telemetry.ts")).startTelemetry(cli, config, to),
  };
}
