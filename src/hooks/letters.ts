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
    const folder = join(this.#root, place);
    if (!existsSync(folder)) return [];
    const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
    return names.toSorted().flatMap((name) => read(join(folder, name)) ?? []);
  }

  count(place: "pending" | "dead"): number {
    const folder = join(this.#root, place);
    return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".json")).length : 0;
  }

  update(letter: Letter): void {
    this.#put("pending", letter);
  }

  delivered({ id }: Letter): void {
    rmSync(this.#file("pending", id), { force: true });
  }

  giveUp(letter: Letter): void {
    this.#put("dead", letter);
    rmSync(this.#file("pending", letter.id), { force: true });
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
    const letter = JSON.parse(readFileSync(file, "utf8")) as Letter;
    return letter.version === 1 ? letter : undefined;
  } catch {
    return undefined;
  }
}
