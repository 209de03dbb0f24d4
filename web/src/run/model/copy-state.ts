import type { AttemptState, InboxItem, RunState, StepState } from "../../../../src/domain/index.ts";

/**
 * A copy of a run's state that folding further does not reach, and that folding the copy does not reach back through. It shares what the fold
 * replaces and never writes into: steps as declared, findings, gates, and attempts with another one after them. So it costs what can still change.
 */
export function copyState(state: RunState): RunState {
  const copy = { ...state };
  // Every index, those too that are added to the state later.
  for (const [name, value] of Object.entries(copy))
    if (value instanceof Map || value instanceof Set) Object.assign(copy, { [name]: copyOf(value) });
  for (const [id, pause] of copy.pauses) copy.pauses.set(id, { ...pause });
  // It is one of them, and what the fold writes into that one it says, too.
  const halted = copy.halted && copy.pauses.get(copy.halted.id);
  if (halted) copy.halted = halted;
  for (const [id, item] of copy.inbox) copy.inbox.set(id, { ...item, answers: [...item.answers] } satisfies InboxItem);
  for (const [path, s] of copy.steps) copy.steps.set(path, copyStep(s));
  return copy;
}

const copyOf = (index: Map<unknown, unknown> | Set<unknown>): unknown => (index instanceof Map ? new Map(index) : new Set(index));

function copyStep(s: StepState): StepState {
  return {
    ...s,
    attempts: copyAttempts(s.attempts),
    dependents: [...s.dependents],
    ...(s.group ? { group: { ...s.group } } : {}),
  };
}

/** The fold writes into the last attempt only: what it says of itself, and the lists of what was said to it and what it asked. */
function copyAttempts(attempts: readonly AttemptState[]): AttemptState[] {
  const copy = [...attempts];
  const last = copy.at(-1);
  if (last)
    copy[copy.length - 1] = {
      ...last,
      ...(last.messages ? { messages: last.messages.map((m) => ({ ...m })) } : {}),
      ...(last.requests ? { requests: structuredClone(last.requests) } : {}),
    };
  return copy;
}
