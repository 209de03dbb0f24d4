/** By owner, then by key. */
const answersOf = new WeakMap<object, Map<string, Promise<unknown>>>();

/**
 * An answer that several ask for and one computes, such as which tests passed at a commit. It is kept as long as its owner is in use, so it is
 * computed again after a restart. One that does not last (`isLasting`), or that failed, is its own asker's alone: whoever computed it
 * may have been stopped, which says nothing to others.
 */
export async function sharedAnswer<T>(owner: object, key: string, compute: () => Promise<T>, isLasting: (value: T) => boolean): Promise<T> {
  const answers = answersOf.get(owner) ?? new Map<string, Promise<unknown>>();
  answersOf.set(owner, answers);
  for (let known = answers.get(key); known; known = answers.get(key)) {
    const found = await (known as Promise<T>).then(
      (value) => ({ value }),
      () => undefined,
    );
    if (found && isLasting(found.value)) return found.value;
    // Unless another asker has begun meanwhile, this one does.
    if (answers.get(key) === known) answers.delete(key);
  }
  const made = compute();
  answers.set(key, made);
  return made;
}
