import { LONGEST_REPLY, type Extraction, type ExtractOptions } from "./contract.ts";
import { applyPatchFormat } from "./apply-patch.ts";
import { element } from "./elements.ts";
import { fencedBlock } from "./fence.ts";
import { Findings } from "./findings.ts";
import { jsonFiles } from "./json-files.ts";
import * as is from "./markers.ts";
import { searchReplace } from "./search-replace.ts";
import { unifiedDiff } from "./unified-diff.ts";
import { Brackets } from "./brackets.ts";

/** What the line being read stands in. `line` is where it began. */
type Mode =
  | { in: "prose" }
  /**
   * `depth`: fences opened within a Markdown file and not closed; `nested`: there was one. `search`: within a SEARCH/REPLACE
   * block, where a fence ends nothing.
   */
  | { in: "fence"; open: is.FenceOpen; line: number; lines: string[]; depth: number; nested: boolean; search: boolean }
  /** What a model thought before its answer: no edit, whatever stands in it. */
  | { in: "thought"; name: string }
  | { in: "search"; line: number; lines: string[] }
  | { in: "patch"; line: number; lines: string[] }
  | { in: "diff"; line: number; lines: string[] }
  | { in: "element"; name: string; line: number; lines: string[] }
  | { in: "json"; line: number; lines: string[]; brackets: Brackets };

/** Enough for a name above a block and for the list it stands in. */
const CONTEXT_LINES = 60;

/**
 * Reads a reply as it arrives, line by line, in one pass: each block is read when its end has passed, by what it holds. The end of
 * a fence is CommonMark's, but for two cases where models mean another: a fence within a SEARCH/REPLACE block, and one with an info
 * string within a Markdown file. When such a reading runs into the end of the reply, the block is read again, by CommonMark alone.
 */
export class ExtractStream {
  readonly #findings: Findings;
  #mode: Mode = { in: "prose" };
  #before: string[] = [];
  #rest = "";
  #line = 0;
  #length = 0;
  #isStrict = false;
  #ended = false;

  constructor(options: ExtractOptions = {}) {
    this.#findings = new Findings(options.has);
  }

  /** Takes the next piece; answers what its lines completed. */
  push(text: string): Extraction {
    if (this.#ended) return this.#findings.take();
    const room = LONGEST_REPLY - this.#length;
    const taken = text.slice(0, room);
    this.#length += taken.length;
    const lines = taken.split("\n");
    lines[0] = this.#rest + (lines[0] ?? "");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#next(line);
    if (text.length > room) {
      this.#finish();
      this.#findings.broken(this.#line, `The reply is longer than ${LONGEST_REPLY} characters; nothing after this line was read.`, "");
    }
    return this.#findings.take();
  }

  /** No more comes. Answers the rest. */
  end(): Extraction {
    if (!this.#ended) this.#finish();
    return this.#findings.take();
  }

  #finish(): void {
    this.#ended = true;
    if (this.#rest !== "") this.#next(this.#rest);
    this.#rest = "";
    const mode = this.#mode;
    if (mode.in === "fence" && (mode.search || mode.nested)) this.#again(mode);
    // A tag in the middle of a text, not an element around a file.
    if (mode.in === "element" && !namesFile(mode.lines)) this.#again(mode);
    this.#close(false);
  }

  /** Reads the rest of the reply again from where a block began that did not end, by CommonMark alone. Happens once at most. */
  #again(mode: Extract<Mode, { in: "fence" | "element" }>): void {
    const { line, lines } = mode;
    this.#isStrict = true;
    this.#line = line;
    if (mode.in === "fence") {
      this.#mode = { ...mode, lines: [], depth: 0, nested: false, search: false };
      for (const each of lines) this.#next(each);
    } else {
      this.#mode = { in: "prose" };
      for (const each of lines.slice(1)) this.#next(each);
    }
  }

  #next(raw: string): void {
    this.#line += 1;
    const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    const mode = this.#mode;
    switch (mode.in) {
      case "prose":
        return this.#prose(line);
      case "fence":
        return this.#fence(mode, line);
      case "thought":
        if (is.elementCloses(line, mode.name)) this.#mode = { in: "prose" };
        return;
      case "search":
        mode.lines.push(line);
        if (is.searchCloses(line)) this.#close(true);
        return;
      case "patch":
        mode.lines.push(line);
        if (is.patchCloses(line)) this.#close(true);
        return;
      case "element":
        mode.lines.push(line);
        if (is.elementCloses(line, mode.name)) this.#close(true);
        return;
      case "diff":
        if (is.diffGoesOn(line) && !is.fenceOpens(line)) mode.lines.push(line);
        else {
          this.#close(true);
          this.#prose(line);
        }
        return;
      case "json":
        if (is.fenceOpens(line)) {
          this.#close(false);
          this.#prose(line);
          return;
        }
        mode.lines.push(line);
        mode.brackets.add(line);
        if (mode.brackets.isClosed) this.#close(true);
        return;
      default:
        mode satisfies never;
    }
  }

  #prose(line: string): void {
    const at = this.#line;
    const thought = is.thoughtOpens(line);
    if (thought !== undefined) {
      if (!is.elementCloses(line, thought)) this.#mode = { in: "thought", name: thought };
      return;
    }
    const open = is.fenceOpens(line);
    if (open) {
      this.#mode = { in: "fence", open, line: at, lines: [], depth: 0, nested: false, search: false };
      return;
    }
    const lines = [line];
    if (is.searchOpens(line) !== undefined) this.#mode = { in: "search", line: at, lines };
    else if (is.patchOpens(line)) this.#mode = { in: "patch", line: at, lines };
    else if (is.diffOpens(line)) this.#mode = { in: "diff", line: at, lines };
    else if (is.jsonOpens(line)) {
      const brackets = new Brackets();
      brackets.add(line);
      this.#mode = { in: "json", line: at, lines, brackets };
      if (brackets.isClosed) this.#close(true);
    } else {
      const name = this.#isStrict ? undefined : is.elementOpens(line);
      if (name === undefined) {
        this.#before.push(line);
        if (this.#before.length > 2 * CONTEXT_LINES) this.#before.splice(0, CONTEXT_LINES);
        return;
      }
      this.#mode = { in: "element", name, line: at, lines };
      if (is.elementCloses(line, name)) this.#close(true);
    }
  }

  #fence(mode: Extract<Mode, { in: "fence" }>, line: string): void {
    if (!this.#isStrict) {
      if (is.searchOpens(line) !== undefined) mode.search = true;
      else if (mode.search && is.searchCloses(line)) mode.search = false;
      const inner = mode.search ? undefined : is.fenceOpens(line);
      const isNested = inner !== undefined && inner.info !== "" && inner.mark === mode.open.mark && inner.length >= mode.open.length;
      if (isNested && this.#holdsMarkdown(mode)) {
        mode.depth += 1;
        mode.nested = true;
      }
    }
    if (!mode.search && is.fenceCloses(line, mode.open)) {
      if (mode.depth === 0) return this.#close(true);
      mode.depth -= 1;
    }
    mode.lines.push(line);
  }

  #holdsMarkdown({ open }: Extract<Mode, { in: "fence" }>): boolean {
    if (/^(?:md|mdx|markdown)\b/i.test(open.info) || /\.mdx?\b/i.test(open.info)) return true;
    const above = this.#before.findLast((line) => line.trim() !== "");
    return open.info === "" && above !== undefined && /\.mdx?[`*:]*\s*$/i.test(above);
  }

  /** The block that is being read is over; `closed` is false when the reply ended within it. */
  #close(closed: boolean): void {
    const mode = this.#mode;
    const before = this.#before.slice(-CONTEXT_LINES);
    this.#mode = { in: "prose" };
    if (mode.in === "prose" || mode.in === "thought") return;
    this.#before = [];
    const { line, lines } = mode;
    switch (mode.in) {
      case "fence":
        return fencedBlock({ open: mode.open, line, lines, closed, before }, this.#findings);
      case "search": {
        const above = before.slice(-4);
        searchReplace([...above, ...lines], line - above.length, undefined, this.#findings);
        return;
      }
      case "patch":
        return applyPatchFormat(lines, line, closed, this.#findings);
      case "element":
        return element(lines, line, mode.name, closed, this.#findings);
      case "diff": {
        // `--- ` alone is a rule or a dash, not a diff.
        const isDiff = lines.some((each) => each.startsWith("+++ ") || each.startsWith("diff --git "));
        if (isDiff) unifiedDiff(lines, line, undefined, this.#findings);
        else this.#before = lines.slice(-CONTEXT_LINES);
        return;
      }
      case "json":
        if (!jsonFiles(lines.join("\n"), line, this.#findings)) this.#before = lines.slice(-CONTEXT_LINES);
        return;
      default:
        mode satisfies never;
    }
  }
}

/** Whether an element that begins with these lines says which file it is about. */
const namesFile = (lines: readonly string[]): boolean =>
  lines
    .slice(0, 3)
    .some((line) =>
      /\b(?:path|file|file_?path|file_?name|name|title)\s*(?:=\s*["']|>)|<(?:target_file|parameter)\b|^\s*<\w*_call>/i.test(line),
    );
