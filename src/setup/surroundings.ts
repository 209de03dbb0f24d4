import type { Clock } from "../domain/index.ts";

/** The outside world as it was when a program started: read once at its edge, and handed in. */
export interface Surroundings {
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  clock: Clock;
  /** Stepfall's own folder, absolute; absent: as `env` says. */
  home?: string | undefined;
}
