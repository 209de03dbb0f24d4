import { isAlias, isMap, isScalar, isSeq, type Node, type Pair, type Scalar } from "yaml";
import type { ReadingCode } from "./problem.ts";
import { named } from "./shown.ts";

/** A YAML value with its place. Aliases share the value they name, so this is a graph without cycles, not a tree. */
export type Located = { start: number; end: number; value: unknown; size: number } & (
  | { kind: "scalar"; text: string; blank: boolean }
  | { kind: "list"; items: Located[] }
  | { kind: "map"; entries: Map<string, Entry> }
);

export interface Entry {
  keyStart: number;
  value: Located;
}

/** Tells of a problem at an offset of the text. */
export type Complain = (offset: number, code: ReadingCode, message: string, hint: string) => void;

/** Thrown inside the room only: going on would cost too much. */
export class TooMuch extends Error {}

const DEEPEST = 64;
/** Most values that aliases and merges may add. A real file adds dozens; a bomb adds billions. */
const MOST_ALIASED = 100_000;
// Names that change an object's behaviour in JavaScript. No key of ours, and no JSON property, needs them.
const RESERVED = new Set(["__proto__", "prototype", "constructor"]);

/** Turns YAML nodes into plain values with places, reporting what a map of text keys cannot hold. */
export class Locator {
  readonly #anchors = new Map<string, Located | "open">();
  readonly #complain: Complain;
  readonly #lineOf: (offset: number) => number;
  #aliased = 0;

  constructor(complain: Complain, lineOf: (offset: number) => number) {
    this.#complain = complain;
    this.#lineOf = lineOf;
  }

  locate(node: Node | null, fallback: number, depth = 0): Located {
    const start = node?.range?.[0] ?? fallback;
    const end = node?.range?.[1] ?? start;
    if (depth > DEEPEST) {
      this.#complain(start, "YAML_TOO_DEEP", `Values are nested more than ${DEEPEST} deep`, "Nest them less deeply");
      throw new TooMuch();
    }
    if (isAlias(node)) return this.#follow(node.source, start, end);
    const anchor = isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined;
    if (anchor !== undefined) this.#anchors.set(anchor, "open");
    const located = this.#plain(node, start, end, depth);
    if (anchor !== undefined) this.#anchors.set(anchor, located);
    return located;
  }

  #plain(node: Node | null, start: number, end: number, depth: number): Located {
    if (isSeq(node)) {
      const items = node.items.map((item) => this.locate(item as Node | null, start, depth + 1));
      return { kind: "list", start, end, items, value: items.map((i) => i.value), size: sizeOf(items) };
    }
    if (isMap(node)) return this.#map(node.items as Pair<Node | null, Node | null>[], start, end, depth);
    return { ...this.#scalar(node as Scalar | null, start), start, end, size: 1 };
  }

  #scalar(node: Scalar | null, start: number): { kind: "scalar"; value: unknown; text: string; blank: boolean } {
    const value = typeof node?.value === "bigint" ? Number(node.value) : (node?.value ?? null);
    const text = node?.source ?? "";
    if (typeof value === "string" && holdsControls(value)) {
      this.#complain(start, "YAML_CONTROL_CHARACTER", "The text holds a control character", "Remove the escape that makes it");
    }
    return { kind: "scalar", value, text, blank: value === null && text === "" };
  }

  #map(pairs: readonly Pair<Node | null, Node | null>[], start: number, end: number, depth: number): Located {
    const entries = new Map<string, Entry>();
    const merges: Entry[] = [];
    for (const pair of pairs) {
      const keyStart = pair.key?.range?.[0] ?? start;
      const key = this.#keyText(pair.key, keyStart);
      const value = this.locate(pair.value, keyStart, depth + 1);
      if (key === undefined) continue;
      if (key === "<<" && isScalar(pair.key) && pair.key.type === "PLAIN") {
        merges.push({ keyStart, value });
        continue;
      }
      const first = entries.get(key);
      if (first) {
        const lines = `line ${this.#lineOf(first.keyStart)} and line ${this.#lineOf(keyStart)}`;
        this.#complain(keyStart, "DUPLICATE_KEY", `${named(key)} is given twice, on ${lines}`, "Remove or rename one of the two");
      } else if (RESERVED.has(key)) {
        this.#complain(keyStart, "RESERVED_KEY", `${named(key)} cannot be used as a key`, "Choose another name");
      } else entries.set(key, { keyStart, value });
    }
    for (const merge of merges) this.#merge(merge, entries);
    const value: Record<string, unknown> = {};
    for (const [key, entry] of entries) value[key] = entry.value.value;
    return { kind: "map", start, end, entries, value, size: sizeOf([...entries.values()].map((e) => e.value)) };
  }

  #keyText(key: Node | null, at: number): string | undefined {
    // `12:` and `true:` are keys spelt 12 and true, whatever YAML thinks their type is.
    if (isScalar(key) && typeof key.source === "string" && (key.source !== "" || key.value === "")) {
      const text = typeof key.value === "string" ? key.value : key.source;
      if (!holdsControls(text)) return text;
      this.#complain(at, "YAML_CONTROL_CHARACTER", "A key holds a control character", "Remove it");
      return undefined;
    }
    this.#complain(at, "KEY_NOT_TEXT", "A key is not text", "Use a plain word as key");
    return undefined;
  }

  #merge(merge: Entry, into: Map<string, Entry>): void {
    const parts = merge.value.kind === "list" ? merge.value.items : [merge.value];
    for (const part of parts) {
      if (part.kind !== "map") {
        this.#complain(merge.keyStart, "YAML_ALIAS", "`<<` merges maps only", "Write `<<: *name`, with `&name` on a map above");
        continue;
      }
      this.#charge(part.entries.size, merge.keyStart);
      for (const [key, entry] of part.entries) if (!into.has(key)) into.set(key, entry);
    }
  }

  #follow(name: string, start: number, end: number): Located {
    const target = this.#anchors.get(name);
    if (target === "open") {
      this.#complain(start, "YAML_ALIAS", `The alias ${named(`*${name}`)} stands inside the value it names`, "Write the value out");
    } else if (!target) {
      const message = `The alias ${named(`*${name}`)} has no anchor ${named(`&${name}`)} above it`;
      this.#complain(start, "YAML_ALIAS", message, "Add the anchor, or put the text in quotes");
    } else {
      this.#charge(target.size, start);
      return target;
    }
    return { kind: "scalar", start, end, value: null, text: "", blank: false, size: 1 };
  }

  #charge(values: number, at: number): void {
    this.#aliased += values;
    if (this.#aliased <= MOST_ALIASED) return;
    this.#complain(at, "YAML_ALIAS_BOMB", `Aliases repeat more than ${MOST_ALIASED} values`, "Use fewer aliases");
    throw new TooMuch();
  }
}

const sizeOf = (parts: readonly Located[]): number => parts.reduce((sum, p) => sum + p.size, 1);

/** A control character of ASCII other than tab and line ends. */
export const CONTROL = /[\p{Cc}--[\t\n\r\u0080-\u009f]]/v;

export const holdsControls = (text: string): boolean => CONTROL.test(text);
