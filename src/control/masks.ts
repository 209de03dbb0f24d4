import type { Clock } from "../domain/index.ts";
import { loadSettings } from "../setup/settings.ts";
import type { Surroundings } from "../setup/surroundings.ts";
import { openProject } from "../workspace/index.ts";

export type Mask = (text: string) => string;

/** How long what the settings say is believed. */
const KEEP_MS = 30_000;

export interface Masks {
  /** What the user's own settings and the environment know as secrets. */
  own(): Promise<Mask>;
  /** That, and what a project knows, with secrets that a pipeline names. */
  of(project: string, names?: readonly string[]): Promise<Mask>;
}

/** Settings that cannot be read hide nothing of their own: the user's still do. */
export function openMasks(cli: Surroundings, given?: Mask): Masks {
  const kept = keeping<Mask>(cli.clock);
  const own = (): Promise<Mask> =>
    given
      ? Promise.resolve(given)
      : kept("", async () => {
          const config = await loadSettings(cli, {}).catch(() => undefined);
          return config ? (text) => config.secrets.mask(text) : (text) => text;
        });
  return {
    own,
    of: (project, names = []) =>
      given
        ? Promise.resolve(given)
        : kept(JSON.stringify([project, ...names]), async () => {
            const opened = await openProject(project, { env: cli.env }).catch(() => undefined);
            const config = opened && (await loadSettings(cli, { project: opened, at: opened.head, secrets: names }).catch(() => undefined));
            return config ? (text) => config.secrets.mask(text) : own();
          }),
  };
}

/** Remembers answers for a while; the same question at the same time is asked once. */
export function keeping<T>(clock: Clock, keepMs = KEEP_MS): (key: string, ask: () => Promise<T>) => Promise<T> {
  const known = new Map<string, { at: number; answer: Promise<T> }>();
  return (key, ask) => {
    const now = clock.now();
    for (const [old, { at }] of known) if (now - at > keepMs || now < at) known.delete(old);
    const found = known.get(key);
    if (found) return found.answer;
    const answer = ask();
    known.set(key, { at: now, answer });
    answer.catch(() => known.delete(key));
    return answer;
  };
}
