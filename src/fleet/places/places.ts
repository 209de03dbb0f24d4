import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fillEnvTemplate, type IsolationSettings } from "../../config/index.ts";
import { parseAttemptId, type Clock } from "../../domain/index.ts";
import { PlacesError } from "./errors.ts";
import { isPortFree } from "./free-port.ts";
import { machineFolder, PortBook } from "./port-book.ts";
import { choosePortRange, parseEphemeral, type PortRange } from "./port-range.ts";

/** What an attempt, or a clean checkout made for it, has for itself on the machine. */
export interface OwnPlace {
  attempt: string;
  /** `agent`, or the purpose of a clean checkout: `gates`, `merge`. */
  purpose: string;
  /** Letters and digits, beginning with a letter: fit for a database, a host name, a container. The same for the same place, for ever. */
  name: string;
  /** Next to each other; empty when the settings ask for none. */
  ports: readonly number[];
}

export interface PlacesOptions {
  home: string;
  clock: Clock;
  /** Who this process is, in leases (see fleet/holder.ts). */
  holder: string;
  /** True when a holder is known to be dead. */
  isGone: (holder: string) => boolean;
  isolation: Pick<IsolationSettings, "ports" | "env">;
  /** Where the list of ports in use is; default: one for all homes of this user. */
  folder?: string;
  range?: PortRange;
}

/** Ports, names and variables of attempts and of their clean checkouts. Several processes of one machine may have it open. */
export interface Places extends Disposable {
  /**
   * Until `free`, nobody else who asks here gets the same ports, not after a crash of this process either: who takes up the same attempt gets the same ones.
   * Rejects with PORTS_NONE when all are taken.
   */
  take(attempt: string, purpose: string): Promise<OwnPlace>;
  /** What an attempt has now, for recovery: its agent's place first. With no ports in the settings only that one is known. */
  left(attempt: string): OwnPlace[];
  /** Without a purpose: all that the attempt has. */
  free(attempt: string, purpose?: string): void;
  /** The variables of everything that runs in a place: below a step's own `env`, above what is inherited. */
  env(place: OwnPlace, folders: { tree: string; home: string; tmp: string } | undefined): Record<string, string>;
}

/** The place of an attempt's own workspace. */
export const AGENT_PLACE = "agent";

export function openPlaces(options: PlacesOptions): Places {
  const { home, holder, isGone, clock, isolation } = options;
  const range = options.range ?? choosePortRange(ephemeralHere());
  let book: PortBook | undefined;
  const opened = (): PortBook => (book ??= new PortBook(options.folder ?? machineFolder(home, process.getuid?.() ?? 0)));
  const count = isolation.ports;
  const placeAt = (attempt: string, purpose: string, first: number, n: number): OwnPlace => ({
    attempt,
    purpose,
    name: placeName(home, attempt, purpose),
    ports: Array.from({ length: n }, (_, i) => first + i),
  });

  return {
    async take(attempt, purpose) {
      if (count === 0) return placeAt(attempt, purpose, 0, 0);
      const refused = new Set<number>();
      for (;;) {
        const taken = opened().take({ home, attempt, purpose, holder, at: clock.now() }, { count, range, refused, isGone });
        if (!taken) {
          opened().free(home, attempt, purpose);
          throw new PlacesError(
            "PORTS_NONE",
            `no ${count} ports next to each other are free from ${range.from} to ${range.to}`,
            "`stepfall gc` shows who has them; or ask for fewer with `isolation: { ports: ... }`.",
          );
        }
        const place = placeAt(attempt, purpose, taken.first, count);
        // Whoever listens on a block that is taken up again may well be the attempt itself.
        if (taken.isOld || (await allFree(place.ports))) return place;
        refused.add(taken.first);
      }
    },
    left(attempt) {
      const leases = count === 0 ? [] : opened().of(home, attempt);
      const rest = leases.filter((l) => l.purpose !== AGENT_PLACE).map((l) => placeAt(attempt, l.purpose, l.first, l.count));
      const own = leases.find((l) => l.purpose === AGENT_PLACE);
      return [placeAt(attempt, AGENT_PLACE, own?.first ?? 0, own?.count ?? 0), ...rest];
    },
    free(attempt, purpose) {
      if (count > 0) opened().free(home, attempt, purpose);
    },
    env: (place, folders) => placeEnv(isolation.env, place, folders),
    [Symbol.dispose]: () => book?.close(),
  };
}

function placeEnv(
  templates: Readonly<Record<string, string>>,
  place: OwnPlace,
  folders: { tree: string; home: string; tmp: string } | undefined,
): Record<string, string> {
  const ref = parseAttemptId(place.attempt);
  const values = {
    NAME: place.name,
    ATTEMPT: place.attempt,
    RUN: ref?.runId ?? "",
    STEP: ref?.stepPath ?? "",
    TMP: folders?.tmp ?? "",
    HOME: folders?.home ?? "",
    TREE: folders?.tree ?? "",
    ports: place.ports,
  };
  return {
    ...(place.ports[0] === undefined ? {} : { PORT: String(place.ports[0]) }),
    // Compose names its project after the folder, and all our work trees are called `tree`: they would share their containers.
    COMPOSE_PROJECT_NAME: place.name,
    ...Object.fromEntries(Object.entries(templates).map(([name, text]) => [name, fillEnvTemplate(text, values)])),
    STEPFALL_NAME: place.name,
    ...Object.fromEntries(place.ports.map((port, i) => [`STEPFALL_PORT_${i + 1}`, String(port)])),
  };
}

/** `sf` and 64 bits: of a million places, two share one with a chance of one in thirty million. */
const placeName = (home: string, attempt: string, purpose: string): string =>
  `sf${createHash("sha256").update(`${home}\0${attempt}\0${purpose}`).digest("hex").slice(0, 16)}`;

async function allFree(ports: readonly number[]): Promise<boolean> {
  for (const port of ports) if (!(await isPortFree(port))) return false;
  return true;
}

/** macOS hands out 49152 and above, which is outside the usual range. */
function ephemeralHere(): PortRange | undefined {
  try {
    return parseEphemeral(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8"));
  } catch {
    return undefined;
  }
}
