import { z } from "zod";
import type { Loading } from "./loading.ts";
import { duration } from "./yaml/fields.ts";
import { keyed } from "./yaml/shape-problems.ts";

/** From the most that is said to the least. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
const LEVELS_AND_OFF = [...LOG_LEVELS, "off"] as const;

/** What processes of a home say beside the journal, and where. */
export interface LogSettings {
  level: LogLevel | "off";
  /** Lines go to files of the home. */
  file: boolean;
  /** Days older than that are removed. */
  keepMs: number;
  /** They also go to the telemetry's endpoint. */
  otlp: boolean;
}

const DAY_MS = 86_400_000;
export const DEFAULT_LOG: LogSettings = { level: "info", file: true, keepMs: 14 * DAY_MS, otlp: false };

const Level = z.enum(LEVELS_AND_OFF);
export const LogShape = keyed(
  {
    level: Level.optional().describe("The least that is written: debug, info (default), warn, error; off writes nothing"),
    file: z.boolean().optional().describe("false: no files; default true, in `logs` of Stepfall's folder"),
    keep: duration(DAY_MS).optional().describe("How long files are kept; default 14d, and never more than 100 MB"),
    otlp: z.boolean().optional().describe("true: also to the endpoint of `telemetry`, as OTLP logs; default false"),
  },
  { of: "log", synonyms: { severity: "level", days: "keep", "max-age": "keep", retention: "keep" } },
);

/** One log for all projects of a home: what it says is not a project's to choose. */
export function gatherLog(loading: Loading): LogSettings {
  let own: z.output<typeof LogShape> = {};
  for (const file of loading.files) {
    if (file.settings.log === undefined) continue;
    if (file.kind === "user") {
      own = file.settings.log;
      if (own.otlp === true && file.settings.telemetry === undefined)
        loading.refuseIn(file, "BAD_VALUE", ["log", "otlp"], "`otlp` needs an endpoint", "Add `telemetry: { endpoint: ... }` to this file");
      loading.origins["log"] = loading.originIn(file, ["log"]);
    } else
      loading.refuseIn(
        file,
        "NOT_THE_PROJECTS",
        ["log"],
        "`log` of a project would change what is kept of all projects, and that is not the project's to say",
        "Write it into your own config.yaml in Stepfall's folder",
      );
  }
  const given = loading.given("--log-level", undefined, "STEPFALL_LOG_LEVEL");
  const level = loading.givenAs("log.level", given, (text) => LEVELS_AND_OFF.find((l) => l === text), "debug, info, warn, error or off");
  return {
    level: level ?? own.level ?? DEFAULT_LOG.level,
    file: own.file ?? DEFAULT_LOG.file,
    keepMs: own.keep ?? DEFAULT_LOG.keepMs,
    otlp: own.otlp ?? DEFAULT_LOG.otlp,
  };
}
