import { isDeepStrictEqual } from "node:util";

export type Combination = Record<string, unknown>;

/**
 * Every combination of the axes' values, the last axis changing fastest. Those that match an `exclude` in all its keys are left out. An `include`
 * adds its keys to every combination whose axes it does not contradict; when there is none it is a combination of its own. `most + 1`
 * ends the work: the caller says it is too many.
 */
export function combinations(
  axes: Readonly<Record<string, readonly unknown[]>>,
  include: readonly Combination[],
  exclude: readonly Combination[],
  most: number,
): Combination[] {
  let found: Combination[] = Object.keys(axes).length === 0 ? [] : [{}];
  // Excluded ones still count here: 10 axes of 10 values are refused whatever is left out of them.
  const bound = Math.max(most * 20, 1000);
  for (const [axis, values] of Object.entries(axes)) {
    found = found
      .slice(0, bound + 1)
      .flatMap((combination) => values.slice(0, bound + 1).map((value) => ({ ...combination, [axis]: value })));
    if (found.length > bound) return found.slice(0, bound);
  }
  const kept = found
    .filter(
      (c) => !exclude.some((e) => Object.entries(e).every(([key, value]) => Object.hasOwn(c, key) && isDeepStrictEqual(c[key], value))),
    )
    .map((c) => ({ own: c, all: { ...c } }));
  const added: Combination[] = [];
  for (const extra of include) {
    const fits = kept.filter(({ own }) =>
      Object.entries(extra).every(([key, value]) => !Object.hasOwn(own, key) || isDeepStrictEqual(own[key], value)),
    );
    // One that says something of no axis at all would fit everywhere; that is what people mean by it.
    if (fits.length > 0) for (const fit of fits) Object.assign(fit.all, extra);
    else added.push({ ...extra });
  }
  return [...kept.map((k) => k.all), ...added];
}

const LONGEST_SLUG = 40;

/** A readable name for each child, unique among them: from its values, else its number. */
export function slugs(values: readonly unknown[]): string[] {
  const taken = new Set<string>();
  return values.map((value, i) => {
    const readable = slugOf(value);
    let slug = readable === "" ? String(i) : readable;
    for (let n = 2; taken.has(slug); n++) slug = `${readable === "" ? i : readable}-${n}`;
    taken.add(slug);
    return slug;
  });
}

function slugOf(value: unknown): string {
  return wordsOf(value)
    .join("-")
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, LONGEST_SLUG)
    .replace(/^-+|-+$/g, "");
}

/** What a person would call it: its text, its parts of a combination, its `id` or `name`. */
function wordsOf(value: unknown): string[] {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return [String(value).slice(0, 200)];
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  const { id, name } = value as Record<string, unknown>;
  for (const word of [id, name]) if (typeof word === "string" || typeof word === "number") return [String(word).slice(0, 200)];
  return [];
}

/** A combination's slug is that of all its values. */
export const combinationWords = (combination: Combination): string =>
  Object.values(combination)
    .map((value) => wordsOf(value)[0] ?? "")
    .filter((word) => word !== "")
    .join("-");
