import { noLog, type Log } from "../logs/index.ts";
import { homeOf } from "../setup/settings.ts";
import { openStore } from "../setup/store.ts";
import type { Surroundings } from "../setup/surroundings.ts";
import type { Control, Launcher } from "./contract.ts";
import { lookAt } from "./looking/look-at.ts";
import { keeping, openMasks, type Mask } from "./masks.ts";
import { readSettings } from "./looking/settings.ts";
import { steer } from "./steering/steer.ts";

export interface ControlOptions {
  /** `cwd`: where a project is known to be before anything ran in it. */
  surroundings: Surroundings;
  launcher: Launcher;
  /** Instead of what the settings know as secrets. */
  mask?: Mask;
  /** Told of calls of the store that take long. */
  log?: Log;
}

/** Opens the store of a home, which is made where it is not there. Dispose of it. */
export async function openControl({ surroundings, launcher, mask, log }: ControlOptions): Promise<Control> {
  const { clock } = surroundings;
  const store = await openStore(surroundings, log);
  const home = homeOf(surroundings);
  const ask = keeping<Awaited<ReturnType<typeof readSettings>>>(clock);
  const closing = new AbortController();
  const desk = {
    cli: surroundings,
    store,
    home,
    launcher,
    now: () => clock.now(),
    log: (log ?? noLog).child({ room: "control" }),
    closing: closing.signal,
    masks: openMasks(surroundings, mask),
    settingsOf: (project: string | undefined) => ask(project ?? "", () => readSettings(surroundings, project)),
  };
  const end = async (): Promise<void> => {
    closing.abort();
    await store.close();
  };
  const looking = lookAt(desk);
  return { ...looking, ...steer(desk, looking), [Symbol.asyncDispose]: end };
}
