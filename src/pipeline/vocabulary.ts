import type { Vocabulary } from "../config/index.ts";

/**
 * The words of the format that are not keys now: those that a later version brings, those that people bring from other
 * tools, and those that belong elsewhere. What is named here is answered by name instead of as merely unknown.
 */

const settingsHint = "Agents, models and providers live in stepfall.yaml; a step names one with `agent: id`";

/** Kinds of steps that come later: a step with such a key needs neither prompt nor command. */
export const LATER_STEP_KINDS = ["pipeline", "approve", "ask", "loop"];

const LATER_STEP_KEYS = [...LATER_STEP_KINDS, "if", "on-failure", "finally", "matrix", "foreach", "secrets", "with", "escalate"];

/** Kinds of gates that come later, written `- diff: ...` or `- kind: diff`. */
export const LATER_GATE_KINDS = ["diff", "coverage", "schema", "regression", "syntax", "judge", "best-of"];

/** What people write instead of `command` and of `prompt`. */
export const COMMAND_WORDS = ["run", "cmd", "script", "shell", "exec"];
export const PROMPT_WORDS = ["task", "instructions", "instruction", "goal", "message"];
const renamed = (words: readonly string[], key: string): Record<string, string> => Object.fromEntries(words.map((w) => [w, key]));

export const pipelineWords: Vocabulary = {
  of: "a pipeline",
  later: ["inputs", "secrets", "on", "finally", "phases"],
  synonyms: {
    ...renamed(["step", "tasks", "jobs", "stages", "nodes"], "steps"),
    desc: "description",
    title: "name",
    environment: "env",
    default: "defaults",
    max_cost: "budget",
    "max-cost": "budget",
  },
  elsewhere: {
    agents: settingsHint,
    agent: "Write it under `defaults`, or in a step",
    providers: settingsHint,
    models: settingsHint,
    model: settingsHint,
    accounts: settingsHint,
    slots: "How many attempts run at once is set in stepfall.yaml",
    timeout: "Write it under `defaults`, or in a step",
    retry: "Write it under `defaults`, or in a step",
    setup: "Write it under `defaults`, or in a step",
    version: "Pipelines have no version key",
  },
};

export const defaultsWords: Vocabulary = {
  of: "defaults",
  synonyms: { retries: "retry", max_retries: "retry", "timeout-minutes": "timeout" },
  elsewhere: {
    env: "Write `env` at the top of the file: it holds for every step",
    protected: "Write `protected` at the top of the file: it holds for every step",
    budget: "Write `budget` at the top of the file for the run, or in a step",
    model: settingsHint,
    tier: "Write `agent: { tier: mid }`",
  },
};

export const stepWords: Vocabulary = {
  of: "a step",
  later: LATER_STEP_KEYS,
  synonyms: {
    ...renamed(COMMAND_WORDS, "command"),
    ...renamed(PROMPT_WORDS, "prompt"),
    ...renamed(["depends_on", "dependsOn", "depends-on", "depends", "dependencies", "after", "requires", "need"], "needs"),
    ...renamed(["retries", "max_retries", "max-retries", "attempts"], "retry"),
    ...renamed(["artifacts", "produces", "creates", "output", "files"], "outputs"),
    ...renamed(["checks", "validate", "verify", "tests", "gate"], "gates"),
    ...renamed(["read-only", "read_only", "readOnly"], "readonly"),
    ...renamed(["before", "before_script", "prepare", "install"], "setup"),
    "timeout-minutes": "timeout",
    environment: "env",
    paths: "touches",
    cost: "budget",
  },
  elsewhere: {
    description: "A step has none: use a comment (`# ...`)",
    name: "The step's id, the key it stands under, is its name",
    id: "The step's id is the key it stands under",
    tier: "Write `agent: { tier: mid }`",
    capability: "Write `agent: { capability: web_search }`",
    capabilities: "Write `agent: { capability: web_search }`",
    model: settingsHint,
    executor: settingsHint,
    backoff: "Write `retry: { attempts: 3, backoff: 5s }`",
    uses: "There are no ready-made steps: write a prompt or a command",
  },
};

export const agentWords: Vocabulary = {
  of: "a step's agent",
  synonyms: { name: "id", capabilities: "capability" },
  elsewhere: { model: settingsHint, executor: settingsHint, provider: settingsHint },
};

export const gateWords: Vocabulary = {
  of: "a gate",
  later: LATER_GATE_KINDS,
  synonyms: { ...renamed(COMMAND_WORDS, "command"), file: "files", exists: "files" },
  elsewhere: { kind: "A gate's kind is its key: `- command: npm test` or `- files: [a.md]`" },
};

export const retryWords: Vocabulary = {
  of: "retry",
  synonyms: { max: "attempts", count: "attempts", times: "attempts", delay: "backoff", wait: "backoff" },
};
export const outputsWords: Vocabulary = { of: "outputs", synonyms: { file: "files", paths: "files", schema: "json" } };
export const jsonWords: Vocabulary = { of: "a JSON output", synonyms: { path: "file" } };
