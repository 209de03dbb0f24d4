import type { Task } from "./contract.ts";

/** Long enough to be read, short enough for a line of a table. */
const LONGEST = 40;
/** Ids that no YAML file of ours may have as a key, and those that look like places in a list. */
const UNUSABLE = /^(?:\d*|constructor|prototype)$/;

/** An id for every task, in order: its own, else the words of its sentence, made unique. */
export function taskIds(tasks: readonly Pick<Task, "task" | "id">[]): string[] {
  const taken = new Set(tasks.flatMap(({ id }) => id ?? []));
  return tasks.map(({ task, id }, i) => {
    if (id !== undefined) return id;
    const slug = slugOf(task);
    const words = UNUSABLE.test(slug) ? `task-${slug || i + 1}` : slug;
    let unique = words;
    for (let n = 2; taken.has(unique); n++) unique = `${words}-${n}`;
    taken.add(unique);
    return unique;
  });
}

/** `Fix the cart's total!` -> `fix-the-carts-total`; empty when no letter of it is one of an id's. */
function slugOf(sentence: string): string {
  const words = sentence
    .slice(0, 400)
    .normalize("NFKD")
    .toLowerCase()
    .replace(/['’\p{M}]/gu, "")
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
  let slug = words[0]?.slice(0, LONGEST) ?? "";
  for (const word of words.slice(1)) {
    if (slug.length + 1 + word.length > LONGEST) break;
    slug += `-${word}`;
  }
  return slug;
}
