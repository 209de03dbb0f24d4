import { z } from "zod";
import { expecting, FilePath, Id, keyed, refuse, STEP_TYPES } from "../../config/index.ts";

/** A workload as people write it. What a task has in common with a step is checked as a step's, see task-step.ts. */

const MOST_REPEATS = 100;
const Repeat = z.int().min(1).max(MOST_REPEATS);

/** Keys that a task shares with a step of a pipeline. */
export const STEP_KEYS = [
  "prompt",
  "type",
  "outputs",
  "gates",
  "setup",
  "teardown",
  "readonly",
  "timeout",
  "env",
  "budget",
  "protected",
  "permissions",
  "on-stuck",
  "stuck-after",
] as const;
const ofStep = Object.fromEntries(STEP_KEYS.map((key) => [key, z.unknown().optional()])) as Record<
  (typeof STEP_KEYS)[number],
  z.ZodOptional<z.ZodUnknown>
>;

const ONE_OF_EACH = "Each task is done once by each agent, with nobody else";
export const TaskShape = keyed(
  {
    ...ofStep,
    prompt: z.string(),
    type: z.enum(STEP_TYPES),
    complexity: z.int().min(1).max(10),
    files: z
      .union([z.string(), z.record(z.string(), z.string())], expecting("a folder beside the workload, or a map of paths with their texts"))
      .optional(),
    repeat: Repeat.optional(),
  },
  {
    of: "a task",
    synonyms: {
      task: "prompt",
      goal: "prompt",
      instructions: "prompt",
      kind: "type",
      level: "complexity",
      difficulty: "complexity",
      folder: "files",
      project: "files",
      repeats: "repeat",
      times: "repeat",
      gate: "gates",
      checks: "gates",
      tests: "gates",
      output: "outputs",
    },
    elsewhere: {
      agent: "Write `agents` at the top of the file, or give --agents",
      agents: "Write `agents` at the top of the file, or give --agents",
      needs: `${ONE_OF_EACH}: tasks do not need one another`,
      retry: `${ONE_OF_EACH}: write \`repeat\` for more`,
      escalate: ONE_OF_EACH,
    },
  },
);
export type TaskFields = z.output<typeof TaskShape>;

export const WorkloadShape = keyed(
  {
    name: Id,
    description: z.string().optional(),
    agents: z.array(Id).min(1).optional(),
    repeat: Repeat.optional(),
    /** For every task that says nothing else. */
    timeout: z.unknown().optional(),
    tasks: z.record(z.string(), z.unknown()),
  },
  {
    of: "a workload",
    synonyms: { steps: "tasks", repeats: "repeat", models: "agents", id: "name", title: "name" },
    elsewhere: { budget: "Give --budget: it depends on who pays, not on the tasks" },
  },
);

/** Paths of files that are written into the workload itself. */
export const InlinePath = FilePath.superRefine((path, ctx) => {
  if (path.split("/").some((part) => part === "" || part === "."))
    refuse(ctx, "BAD_PATH", `"${path}" holds an empty part`, "Write it like src/a.ts");
});
