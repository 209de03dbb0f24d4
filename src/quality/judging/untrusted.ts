import type { Candidate } from "./contract.ts";

export interface Excerpt {
  text: string;
  /** What is missing, for people and for the judge. */
  cuts: string[];
}

interface Part {
  label: string;
  text: string;
}

/** What was asked for needs less room than what was done. */
const ASKED_SHARE = 0.2;

/** A candidate as fenced text of at most `maxChars` characters (fences, labels and notes apart). Room the prompt leaves goes to the work. */
export function showCandidate(candidate: Candidate, fence: string, maxChars: number): Excerpt {
  const forAsked = Math.min(candidate.prompt.length, Math.floor(maxChars * ASKED_SHARE));
  const asked = showAsked(candidate.prompt, fence, forAsked);
  const work = showWork(candidate, fence, maxChars - forAsked);
  return { text: `${asked.text}\n\n${work.text}`, cuts: [...asked.cuts, ...work.cuts] };
}

export const showAsked = (prompt: string, fence: string, room: number): Excerpt =>
  fit([{ label: "what was asked for", text: prompt }], fence, room);

export const showWork = ({ diff, files = [] }: Omit<Candidate, "prompt">, fence: string, room: number): Excerpt =>
  fit(
    [
      { label: "the diff", text: diff === "" ? "(no changes)" : diff },
      ...files.map(({ path, text }) => ({ label: `the file ${oneLine(path)}`, text })),
    ],
    fence,
    room,
  );

/** For the judge. Names no part: names of files are untrusted, too, and this is outside of the fences. */
export const withNote = ({ text, cuts }: Excerpt): string =>
  cuts.length === 0
    ? text
    : `${text}\n\nFor its length, ${cuts.length === 1 ? "one part" : `${cuts.length} parts`} of this could not be shown whole.`;

/** Text between marks that it cannot contain itself. */
export function fenced({ label, text }: Part, fence: string): string {
  const clean = (raw: string): string => raw.replaceAll(fence, "[removed]");
  return `<<<${fence} begin: ${clean(label)}>>>\n${clean(text)}\n<<<${fence} end>>>`;
}

/**
 * Cuts the longest parts down to one common length, so that all of them fit; short ones stay whole. They are cut in their middles, because what
 * a file is for stands at its top, and what was added often at its end.
 */
function fit(parts: readonly Part[], fence: string, room: number): Excerpt {
  const limit = commonLimit(
    parts.map((part) => part.text.length),
    room,
  );
  const cuts: string[] = [];
  const shown = parts.map(({ label, text }) => {
    if (text.length <= limit) return fenced({ label, text }, fence);
    const head = Math.ceil(limit / 2);
    const tail = limit - head;
    const gone = text.length - limit;
    cuts.push(`${label}: ${gone} of ${text.length} characters in its middle`);
    const end = tail === 0 ? "" : text.slice(-tail);
    return fenced({ label, text: `${text.slice(0, head)}\n[... ${gone} characters are left out here ...]\n${end}` }, fence);
  });
  return { text: shown.join("\n\n"), cuts };
}

/** The largest length so that, with everything longer cut to it, the sum is within `room`. */
function commonLimit(lengths: readonly number[], room: number): number {
  let left = Math.max(0, room);
  const rising = [...lengths].sort((a, b) => a - b);
  for (const [at, length] of rising.entries()) {
    const each = Math.floor(left / (rising.length - at));
    if (length > each) return each;
    left -= length;
  }
  return Number.POSITIVE_INFINITY;
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, " ").slice(0, 200);

/** For evidence and findings: one line, not too long. */
export const shortened = (text: string, limit = 300): string => {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length <= limit ? line : `${line.slice(0, limit - 1)}…`;
};
