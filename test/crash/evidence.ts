import { appendFileSync, existsSync, readFileSync } from "node:fs";
import type { PointResult } from "./crash-at.ts";
import type { PointPlan } from "./points.ts";

/** What a file of evidence begins with: the same plan goes on where it stopped. */
export interface Heading extends PointPlan {
  kind: "plan";
  commits: number;
  undisturbedMs: number;
  startedAt: string;
}

/** Results as they come, a line each, so that a run that is stopped goes on where it was. */
export class Evidence {
  readonly file: string;
  readonly heading: Heading | undefined;
  readonly #done = new Map<string, PointResult>();

  constructor(file: string) {
    this.file = file;
    const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
    let heading: Heading | undefined;
    for (const line of lines) {
      const value = parse(line);
      if (value?.kind === "plan") heading ??= value;
      else if (value?.kind === "point") this.#done.set(value.name, value);
    }
    this.heading = heading;
  }

  begin(heading: Heading): void {
    this.#write(heading);
  }

  has(name: string): boolean {
    return this.#done.has(name);
  }

  add(result: PointResult): void {
    this.#done.set(result.name, result);
    this.#write({ kind: "point", ...result });
  }

  get results(): PointResult[] {
    return [...this.#done.values()];
  }

  #write(value: unknown): void {
    appendFileSync(this.file, `${JSON.stringify(value)}\n`);
  }
}

/** A last line that was cut short is no result. */
function parse(line: string): Heading | (PointResult & { kind: "point" }) | undefined {
  try {
    return JSON.parse(line) as Heading | (PointResult & { kind: "point" });
  } catch {
    return undefined;
  }
}
