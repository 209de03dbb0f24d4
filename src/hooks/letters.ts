import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Letter } from "./contract.ts";

/**
 * Deliveries that are not done, a file for each: `pending` until they are delivered, `dead` once nobody tries any more. A letter is on disk before the
 * journal's offset passes its event, and goes when it is delivered: an engine that is killed in between delivers twice, never not at all.
 */
export class Letters {
  readonly #root: string;

  constructor(home: string) {
    this.#root = join(home, "hooks");
  }

  /** Whether hooks were ever used in this home. */
  static inUse(home: string): boolean {
    return existsSync(join(home, "hooks"));
  }

  open(): void {
    for (const place of ["pending", "dead"]) mkdirSync(join(this.#root, place), { recursive: true, mode: 0o700 });
  }

  /** All of them, or as many as there were before the disk failed: then the same are written again. */
  write(letters: readonly Letter[]): void {
    for (const letter of letters) this.#put("pending", letter);
    if (letters.length > 0) this.#sync("pending");
  }

  /** Oldest first. One that cannot be read is left where it lies. */
  list(place: "pending" | "dead"): Letter[] {
    return this.#names(place).flatMap((name) => read(join(this.#root, place, name)) ?? []);
  }

  #names(place: "pending" | "dead"): string[] {
    const folder = join(this.#root, place);
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .filter((name) => name.endsWith(".json"))
      .toSorted();
  }

  /** Files that are no letters, or of a version that this program does not know: nobody delivers them. */
  unreadable(): number {
    const all = (["pending", "dead"] as const).map((place) => this.#names(place).length - this.list(place).length);
    return all.reduce((sum, n) => sum + n, 0);
  }

  update(letter: Letter): void {
    this.#put("pending", letter);
  }

  delivered({ id }: Letter): void {
    rmSync(this.#file("pending", id), { force: true });
  }

  /** Of each hook the last `most` are kept; answers how many older ones went for it. */
  giveUp(letter: Letter, most: number): number {
    this.#put("dead", letter);
    rmSync(this.#file("pending", letter.id), { force: true });
    const old = this.#names("dead")
      .filter((name) => name.endsWith(`-${letter.key}.json`))
      .slice(0, -most);
    for (const name of old) rmSync(join(this.#root, "dead", name), { force: true });
    return old.length;
  }

  /** Dead ones are tried again, from the beginning. Answers how many. */
  revive(): number {
    const dead = this.list("dead");
    for (const letter of dead) {
      this.#put("pending", { ...letter, tries: 0 });
      rmSync(this.#file("dead", letter.id), { force: true });
    }
    return dead.length;
  }

  #file(place: "pending" | "dead", id: string): string {
    return join(this.#root, place, `${id}.json`);
  }

  /** Whole or not at all. */
  #put(place: "pending" | "dead", letter: Letter): void {
    const file = this.#file(place, letter.id);
    const scratch = `${file}.${process.pid}.new`;
    const fd = openSync(scratch, "w", 0o600);
    try {
      writeSync(fd, `${JSON.stringify(letter)}\n`);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(scratch, file);
  }

  #sync(place: "pending" | "dead"): void {
    const fd = openSync(join(this.#root, place), "r");
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  }
}

/** Sorts by the event's place in the journal. */
export const letterId = (globalSeq: number, key: string): string => `${String(globalSeq).padStart(15, "0")}-${key}`;

function read(file: string): Letter | undefined {
  try {
    return asLetter(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    return undefined;
  }
}

const CALLS: ReadonlySet<string> = new Set<Letter["callee"]["call"]["kind"]>(["command", "webhook", "slack", "desktop"]);

/** What is needed to carry it out: somebody may have edited it, and a disk may have lost a part. */
function asLetter(value: unknown): Letter | undefined {
  const letter = value as Partial<Letter> | null;
  const isWhole =
    letter?.version === 1 &&
    typeof letter.id === "string" &&
    typeof letter.key === "string" &&
    typeof letter.tries === "number" &&
    typeof letter.callee?.name === "string" &&
    typeof letter.callee.timeoutMs === "number" &&
    CALLS.has(letter.callee.call?.kind) &&
    typeof letter.payload?.event?.type === "string";
  return isWhole ? (letter as Letter) : undefined;
}
