import type { Recorded } from "../../domain/index.ts";
import { code, table, time } from "./markdown.ts";

/** Every statement of a report names the events it is made from, by their version in the run's stream; the last section lists them. */
export class References {
  readonly #events: ReadonlyMap<number, Recorded>;
  readonly #used = new Set<number>();

  constructor(events: readonly Recorded[]) {
    this.#events = new Map(events.map((e) => [e.version, e]));
  }

  /** `[v12](#v12)`; nothing for what no event tells. */
  to(...versions: readonly (number | undefined)[]): string {
    const known = [...new Set(versions)].filter((v): v is number => v !== undefined && this.#events.has(v));
    for (const version of known) this.#used.add(version);
    return known.map((v) => `[v${v}](#v${v})`).join(" ");
  }

  list(): string {
    const rows = [...this.#used]
      .toSorted((a, b) => a - b)
      .flatMap((version) => {
        const e = this.#events.get(version);
        return e ? [[`<a id="v${version}"></a>v${version}`, time(e.at), e.event.type, code(e.actor)]] : [];
      });
    return table(["", "at", "event", "by"], rows);
  }
}
