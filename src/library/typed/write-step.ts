import { isExpression } from "./expression.ts";

/** A step's own words, as a YAML file has them. */
export type YamlMap = Map<string, unknown>;

const KEYS: Readonly<Record<string, string>> = {
  onFailure: "on-failure",
  mayFail: "may-fail",
  failFast: "fail-fast",
  onExpiry: "on-expiry",
  onStuck: "on-stuck",
  stuckAfter: "stuck-after",
  bestOf: "best-of",
};

/** What has no value is left out; what is unknown stays, for the parser to complain about. */
export function yamlMap(spec: object): YamlMap {
  return new Map(
    Object.entries(spec).flatMap(([key, value]): [string, unknown][] => {
      if (value === undefined) return [];
      return [[KEYS[key] ?? key, key === "gates" && Array.isArray(value) ? value.map((one: unknown) => gate(one)) : plain(value)]];
    }),
  );
}

const GATE_KEYS: Readonly<Record<string, string>> = { maxFiles: "max-files", maxLines: "max-lines", atLeast: "at-least" };

/** As plain, but for the names of keys. A JSON Schema within is its author's. */
function gate(value: unknown, at?: string): unknown {
  if (Array.isArray(value)) return value.map((part) => gate(part));
  if (isExpression(value) || typeof value !== "object" || value === null) return plain(value);
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  return new Map(
    entries.map(([key, part]) => [GATE_KEYS[key] ?? key, at === "schema" && key === "schema" ? plain(part) : gate(part, key)]),
  );
}

/** The value as YAML holds it: an expression is a text. */
export function plain(value: unknown): unknown {
  if (isExpression(value)) return value.toString();
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map || typeof value !== "object" || value === null) return value;
  return yamlMapOfAny(value);
}

const yamlMapOfAny = (value: object): YamlMap =>
  new Map(Object.entries(value).flatMap(([key, part]) => (part === undefined ? [] : [[key, plain(part)]])));

const SEGMENT = /(?<!\$)\$\{\{([\s\S]*?)\}\}/g;
const STEP = /(?<![\w.])steps\s*(?:\.\s*([A-Za-z0-9_][\w-]*)|\[\s*["']([^"']+)["']\s*\])/g;

/** Steps that the expressions of a value name, of those that are known. `isCel`: a text is CEL even without `${{ }}`. */
export function stepsIn(value: unknown, known: ReadonlySet<string>, isCel = false): string[] {
  const found = new Set<string>();
  visit(value, (text) => {
    const segments = [...text.matchAll(SEGMENT)].map((match) => match[1] ?? "");
    for (const segment of isCel && segments.length === 0 ? [text] : segments)
      for (const [, dotted, quoted] of segment.matchAll(STEP)) {
        const id = quoted ?? dotted ?? "";
        if (known.has(id)) found.add(id);
      }
  });
  return [...found];
}

function visit(value: unknown, see: (text: string) => void): void {
  if (typeof value === "string") see(value);
  else if (Array.isArray(value)) for (const part of value) visit(part, see);
  else if (value instanceof Map) for (const part of value.values()) visit(part, see);
}
