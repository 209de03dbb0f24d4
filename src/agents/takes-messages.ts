/**
 * Executors whose agents can be told something while they work: between two calls of the model, or when a turn is over. The others are given
 * one prompt and read nothing after it.
 */
const listening: ReadonlySet<string> = new Set(["chat", "acp"]);

/** By an executor's `kind`, as `RunStarted` has it of each agent. */
export const takesMessages = (executorKind: string): boolean => listening.has(executorKind);
