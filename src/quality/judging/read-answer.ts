import { jsonrepair } from "jsonrepair";
import { z } from "zod";
import type { PairWord } from "./pairs.ts";
import type { Scores } from "./scores.ts";

export type Read<T> = { ok: true; value: T } | { ok: false; problem: string };

/** A reader of a model's answer. */
export type Reader<T> = (text: string) => Read<T>;

const ScoresAnswer = z.object({
  scores: z.array(
    z.object({
      criterion: z.string(),
      reason: z.string().default(""),
      // "8" is taken for 8, but null and "" are not taken for 0.
      score: z
        .union([
          z.number(),
          z
            .string()
            .regex(/^\s*\d+(\.\d+)?\s*$/, "is not a number")
            .transform(Number),
        ])
        .pipe(z.number().min(0).max(10)),
    }),
  ),
});

/** Scores for exactly these criteria, each once. */
export function scoresReader(criteria: readonly string[]): Reader<Scores> {
  return (text) => {
    const read = readJson(text, ScoresAnswer);
    if (!read.ok) return read;
    const scores = new Map<string, { score: number; reason: string }>();
    for (const { criterion, score, reason } of read.value.scores) {
      if (!criteria.includes(criterion)) return { ok: false, problem: `there is no criterion ${JSON.stringify(criterion.slice(0, 80))}` };
      if (scores.has(criterion)) return { ok: false, problem: `criterion ${JSON.stringify(criterion)} is scored twice` };
      scores.set(criterion, { score, reason });
    }
    const missing = criteria.filter((id) => !scores.has(id));
    if (missing.length > 0) return { ok: false, problem: `no score for ${missing.map((id) => JSON.stringify(id)).join(", ")}` };
    return { ok: true, value: scores };
  };
}

export interface PairAnswer {
  word: Exclude<PairWord, undefined>;
  reason: string;
}

const words: Readonly<Record<string, PairAnswer["word"]>> = { "1": "first", "2": "second", tie: "tie" };

const ComparedAnswer = z.object({ reason: z.string().default(""), better: z.union([z.string(), z.number()]).transform(String) });

export const readComparison: Reader<PairAnswer> = (text) => {
  const read = readJson(text, ComparedAnswer);
  if (!read.ok) return read;
  const word = words[read.value.better.trim().toLowerCase()];
  return word ? { ok: true, value: { word, reason: read.value.reason } } : { ok: false, problem: `better must be "1", "2" or "tie"` };
};

/**
 * The one JSON object in an answer. Models wrap it in a code fence, think aloud before it, leave a comma too many; that is forgiven. An
 * object that does not end is not: its last figure may be half of one.
 */
function readJson<T>(text: string, shape: z.ZodType<T>): Read<T> {
  const said = text.split("</think>").at(-1) ?? "";
  const from = said.indexOf("{");
  const to = said.lastIndexOf("}");
  if (from < 0 || to < from) return { ok: false, problem: "there is no whole JSON object in it" };
  const value = parseLeniently(said.slice(from, to + 1));
  if (value === undefined) return { ok: false, problem: "its JSON cannot be read" };
  const parsed = shape.safeParse(value);
  if (parsed.success) return { ok: true, value: parsed.data };
  const [issue] = parsed.error.issues;
  return { ok: false, problem: `it has another shape: ${issue ? `${issue.path.join(".") || "the object"}: ${issue.message}` : "unknown"}` };
}

function parseLeniently(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    try {
      return JSON.parse(jsonrepair(text));
    } catch {
      return undefined;
    }
  }
}
