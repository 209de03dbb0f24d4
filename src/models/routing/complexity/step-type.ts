/** Kinds of work a step asks for, each with how hard it tends to be (0-4), and the words that tell it. */
const KINDS = {
  rename: { weight: 0, words: ["rename"] },
  format: { weight: 0, words: ["format", "reformat", "lint", "prettier", "whitespace", "indentation"] },
  comment: { weight: 0, words: ["comment", "docstring", "jsdoc", "annotate"] },
  translate: { weight: 1, words: ["translate", "translation", "localize", "localise", "i18n"] },
  docs: { weight: 1, words: ["readme", "documentation", "docs", "document", "changelog", "guide", "tutorial"] },
  summarize: { weight: 1, words: ["summarize", "summarise", "summary", "digest"] },
  extract: { weight: 1, words: ["extract", "collect", "enumerate", "inventory"] },
  config: { weight: 1, words: ["config", "configure", "configuration", "settings", "dockerfile", "workflow", "ci"] },
  dependency: { weight: 2, words: ["dependency", "dependencies", "upgrade", "bump", "vendor"] },
  test: { weight: 2, words: ["test", "tests", "testing", "coverage", "unit-test"] },
  review: { weight: 2, words: ["review", "critique", "audit", "inspect"] },
  research: { weight: 2, words: ["research", "investigate", "explore", "compare", "survey", "analyze", "analyse"] },
  plan: { weight: 2, words: ["plan", "outline", "roadmap", "break down", "decompose"] },
  data: { weight: 2, words: ["schema", "sql", "query", "dataset", "csv", "etl"] },
  ui: { weight: 2, words: ["component", "css", "button", "layout", "stylesheet", "dashboard", "frontend"] },
  fix: { weight: 3, words: ["fix", "bug", "repair", "broken", "regression", "error", "crash", "fails", "failing"] },
  feature: { weight: 3, words: ["implement", "feature", "add", "build", "create", "introduce", "support"] },
  integrate: { weight: 3, words: ["integrate", "integration", "connect", "webhook", "sdk", "api client"] },
  refactor: { weight: 3, words: ["refactor", "restructure", "simplify", "clean up", "deduplicate", "split"] },
  migrate: { weight: 4, words: ["migrate", "migration", "porting", "ported", "port it", "port the", "port to", "convert", "rewrite"] },
  performance: { weight: 4, words: ["performance", "optimize", "optimise", "faster", "profile", "latency", "speed up"] },
  security: { weight: 4, words: ["security", "vulnerability", "cve", "xss", "injection", "harden", "exploit"] },
  concurrency: { weight: 4, words: ["race condition", "deadlock", "concurrency", "concurrent", "thread-safe", "lock-free"] },
  design: { weight: 4, words: ["architecture", "architect", "design", "protocol", "from scratch"] },
} as const satisfies Record<string, { weight: number; words: readonly string[] }>;

/** `other`: no word told it. It weighs as much as the middle of the known ones. */
export type StepType = keyof typeof KINDS | "other";

export const STEP_TYPES = [...Object.keys(KINDS), "other"] as readonly StepType[];

const OTHER_WEIGHT = 2;
export const weightOf = (type: string): number => (Object.hasOwn(KINDS, type) ? KINDS[type as keyof typeof KINDS].weight : OTHER_WEIGHT);

export interface FoundType {
  type: StepType;
  /** The word that decided; empty for `other`. */
  because: string;
}

/** Every form of every word, and the kind it tells. */
const FORMS = new Map<string, StepType>(
  (Object.keys(KINDS) as (keyof typeof KINDS)[]).flatMap((type) =>
    KINDS[type].words.flatMap((w) => formsOf(w).map((form) => [form, type] as const)),
  ),
);

/** The endings English puts on a word; not all of them are words, which does no harm. */
function formsOf(word: string): string[] {
  const forms = ["", "s", "es", "d", "ed", "ing"].map((ending) => word + ending);
  if (word.endsWith("e")) forms.push(`${word.slice(0, -1)}ing`);
  if (/[aeiou][bgnpt]$/u.test(word)) forms.push(`${word}${word.at(-1)}ing`, `${word}${word.at(-1)}ed`);
  return forms;
}

/** Only this much of a text is looked at: what is asked for is said at its beginning. */
const LOOKED_AT = 600;

/**
 * What kind of work a step asks for, by the first telling word of its text: people say what is to be done before they say with what. A word
 * that stands for itself in front ("Write tests for the migration") so comes before what follows it. `write`, `make` and `update` tell
 * nothing. A rule, not a model: it is free, and anyone can see why it chose.
 */
export function stepTypeOf(text: string): FoundType {
  const head = text.slice(0, LOOKED_AT);
  let before: { word: string; at: number; end: number } | undefined;
  for (const match of head.matchAll(/[\w-]+/gu)) {
    const word = match[0].toLowerCase();
    const at = match.index;
    // Two words tell more than the second alone; the first alone told nothing.
    const both = before && head.slice(before.end, at).trim() === "" ? FORMS.get(`${before.word} ${word}`) : undefined;
    if (both) return { type: both, because: head.slice(before?.at, at + word.length) };
    const found = FORMS.get(word);
    if (found) return { type: found, because: match[0] };
    before = { word, at, end: at + word.length };
  }
  return { type: "other", because: "" };
}
