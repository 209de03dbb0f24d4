import { z } from "zod";
import { CommandText, Dollars, expecting, Glob, Id, keyed, refuse, type Vocabulary } from "../../config/index.ts";

const renamed = (words: readonly string[], key: string): Record<string, string> => Object.fromEntries(words.map((word) => [word, key]));

const taskWords: Vocabulary = {
  of: "a task",
  synonyms: {
    ...renamed(["prompt", "title", "description", "text", "goal", "instructions"], "task"),
    ...renamed(["checks", "gate", "tests", "verify"], "gates"),
    ...renamed(["files", "paths"], "touches"),
    ...renamed(["creates", "produces", "output"], "outputs"),
    ...renamed(["depends_on", "dependsOn", "depends-on", "after", "requires"], "needs"),
    ...renamed(["name", "key"], "id"),
    ...renamed(["cost", "max_cost"], "budget"),
    install: "setup",
  },
  elsewhere: {
    agent: "Give --agent for all of them, or write a pipeline",
    model: "Give --model for all of them, or write a pipeline",
    timeout: "Print the pipeline with --dry-run, write it there, and run that",
    retry: "Print the pipeline with --dry-run, write it there, and run that",
  },
};

const Sentence = z.string().superRefine((text, ctx) => {
  if (text.trim() === "") refuse(ctx, "BAD_VALUE", "the task is empty", "Say what the agent should do");
});
const Texts = <T extends z.ZodType<string>>(text: T, what: string) =>
  z
    .union([text, z.array(text)], expecting(what))
    .transform((value): string[] => (typeof value === "string" ? [value] : (value as string[])));

const TaskShape = keyed(
  {
    task: Sentence,
    gates: Texts(CommandText, "a command or a list of them").optional(),
    setup: Texts(CommandText, "a command or a list of them").optional(),
    outputs: Texts(Glob, "a path or a list of them").optional(),
    touches: Texts(Glob, "a path or a list of them").optional(),
    needs: Texts(z.string(), "the id of a task or a list of them").optional(),
    id: Id.optional(),
    budget: Dollars.optional(),
  },
  taskWords,
);

/** One item of a batch file: a sentence, or a map with a sentence under `task`. */
export const BatchItem = z
  .union([Sentence, TaskShape], expecting("a sentence, or a map with `task`"))
  .transform((item) => (typeof item === "string" ? { task: item } : item));
