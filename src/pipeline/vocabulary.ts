import type { Vocabulary } from "../config/index.ts";

/**
 * The words of the format that are not keys now: those that a later version brings, those that people bring from other
 * tools, and those that belong elsewhere. What is named here is answered by name instead of as merely unknown.
 */

const settingsHint = "Agents, models and providers live in stepfall.yaml; a step names one with `agent: id`";

/** Kinds of steps that come later: a step with such a key needs no other kind. */
export const LATER_STEP_KINDS = ["loop"];

/** What people write instead of `approve`, `command` and `prompt`. */
export const APPROVE_WORDS = ["approval", "approved-by", "confirm", "manual", "manual-approval"];
export const COMMAND_WORDS = ["run", "cmd", "script", "shell", "exec"];
export const PROMPT_WORDS = ["task", "instructions", "instruction", "goal", "message"];

const asked = "A step that waits for a person has the key `approve: What is to be agreed to?`, or `ask: A question?`";
/** Written as a step's `type`, which is the sort of work it is. */
export const NO_TYPES: Readonly<Record<string, string>> = Object.fromEntries(
  ["approve", "approval", "manual", "ask", "question", "human", "gate"].map((word) => [word, asked]),
);

const renamed = (words: readonly string[], key: string): Record<string, string> => Object.fromEntries(words.map((w) => [w, key]));

/** Of steps that make no progress. */
const stuckSynonyms = {
  ...renamed(["on_stuck", "onStuck", "if-stuck", "when-stuck"], "on-stuck"),
  ...renamed(
    ["stuck_after", "stuckAfter", "no-output-timeout", "no_output_timeout", "idle-timeout", "idle_timeout", "stall-timeout"],
    "stuck-after",
  ),
};

export const pipelineWords: Vocabulary = {
  of: "a pipeline",
  later: ["on", "finally", "phases"],
  synonyms: {
    ...renamed(["params", "parameters", "arguments", "args", "variables", "vars"], "inputs"),
    ...renamed(["results", "output"], "outputs"),
    secret: "secrets",
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
    teardown: "Write it under `defaults`, or in a step",
    "on-stuck": "Write it under `defaults`, or in a step",
    "stuck-after": "Write it under `defaults`, or in a step",
    version: "Pipelines have no version key",
  },
};

/** How a step climbs from tier to tier. */
export const escalateWords: Vocabulary = {
  of: "escalate",
  synonyms: {
    ...renamed(["from", "start", "first", "lowest"], "entry"),
    ...renamed(["to", "max", "highest", "last", "limit"], "ceiling"),
    ...renamed(["tries", "per-tier", "attempts-per-tier", "retry"], "attempts"),
  },
};

export const defaultsWords: Vocabulary = {
  of: "defaults",
  synonyms: { retries: "retry", max_retries: "retry", "timeout-minutes": "timeout", ...stuckSynonyms },
  elsewhere: {
    env: "Write `env` at the top of the file: it holds for every step",
    protected: "Write `protected` at the top of the file: it holds for every step",
    budget: "Write `budget` at the top of the file for the run, or in a step",
    model: settingsHint,
    tier: "Write `agent: { tier: mid }`",
  },
};

const controlSynonyms = {
  ...renamed(["when", "condition", "only_if", "only-if"], "if"),
  ...renamed(["on_failure", "onFailure", "on-error", "on_error", "compensate"], "on-failure"),
  ...renamed(["always", "ensure", "cleanup"], "finally"),
  ...renamed(["continue-on-error", "continue_on_error", "allow_failure", "allow-failure", "may_fail", "optional", "soft-fail"], "may-fail"),
};
const repeatedSynonyms = {
  ...renamed(["strategy"], "matrix"),
  ...renamed(["for_each", "for-each", "forEach", "with_items", "each", "items"], "foreach"),
  ...renamed(["max-parallel", "max_parallel", "concurrency"], "parallel"),
  ...renamed(["fail_fast", "failFast"], "fail-fast"),
};
const nowhereHere = (keys: readonly string[], hint: string): Record<string, string> => Object.fromEntries(keys.map((key) => [key, hint]));
const WORK_KEYS = [
  "outputs",
  "gates",
  "setup",
  "teardown",
  "readonly",
  "retry",
  "touches",
  "affinity",
  "protected",
  "agent",
  "permissions",
  "escalate",
  "type",
  "labels",
  "best-of",
  "on-stuck",
  "stuck-after",
];

export const stepWords: Vocabulary = {
  of: "a step",
  later: LATER_STEP_KINDS,
  synonyms: {
    ...renamed(COMMAND_WORDS, "command"),
    ...renamed(PROMPT_WORDS, "prompt"),
    ...renamed(APPROVE_WORDS, "approve"),
    ...renamed(["depends_on", "dependsOn", "depends-on", "depends", "dependencies", "after", "requires", "need"], "needs"),
    ...renamed(["retries", "max_retries", "max-retries", "attempts"], "retry"),
    ...renamed(["artifacts", "produces", "creates", "output", "files"], "outputs"),
    ...renamed(["checks", "validate", "verify", "tests", "gate"], "gates"),
    ...renamed(["read-only", "read_only", "readOnly"], "readonly"),
    ...renamed(["before", "before_script", "prepare", "install"], "setup"),
    ...renamed(["after_script", "after-script", "tear-down", "tear_down"], "teardown"),
    "timeout-minutes": "timeout",
    environment: "env",
    paths: "touches",
    cost: "budget",
    ...controlSynonyms,
    ...repeatedSynonyms,
    ...stuckSynonyms,
    permission: "permissions",
    ...renamed(["escalation", "waterfall", "tiers"], "escalate"),
    ...renamed(["label", "tags"], "labels"),
    ...renamed(["best_of", "bestOf", "samples", "candidates"], "best-of"),
    kind: "type",
    question: "ask",
    uses: "pipeline",
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
    secrets: "Name secrets at the top of the file, and use them in a step's `env`: `${{ secrets.NAME }}`",
    with: "Only a step with `pipeline` or `steps` has it",
    repeat: "Only a step with `pipeline` or `steps` has it: write the step under `steps`",
    include: "Write it under `matrix`",
    exclude: "Write it under `matrix`",
  },
};

export const bestOfWords: Vocabulary = {
  of: "best-of",
  synonyms: {
    ...renamed(["count", "samples", "times", "number"], "n"),
    ...renamed(["agent", "candidates", "models"], "agents"),
    ...renamed(["tier"], "tiers"),
    ...renamed(["judge", "by", "pick"], "judges"),
    ...renamed(["arbiter", "tie-breaker"], "stronger"),
    ...renamed(["criteria", "criterion", "prompt"], "rubric"),
  },
  elsewhere: { gates: "Write them in the step: each candidate must pass them" },
};

export const commandStepWords: Vocabulary = {
  ...stepWords,
  elsewhere: {
    ...stepWords.elsewhere,
    agent: "Only a step with a prompt has an agent",
    ...nowhereHere(["escalate", "type", "labels"], "Only a step with a prompt is routed"),
    "best-of": "Only a step with a prompt can be done by several",
    permissions: "Only a step with a prompt has an agent that may ask",
  },
};

/** Steps that people answer. */
export const approveStepWords: Vocabulary = {
  of: "an approval",
  later: LATER_STEP_KINDS,
  synonyms: { ...renamed(APPROVE_WORDS, "approve"), ...controlSynonyms, depends_on: "needs", dependsOn: "needs" },
  elsewhere: {
    ...nowhereHere([...WORK_KEYS, "env", "budget"], "Only a step with a prompt or a command has it"),
    ...nowhereHere(["matrix", "foreach", "max", "fail-fast", "parallel"], "An approval stands once; put it behind the steps it is about"),
    ...nowhereHere(["title", "detail", "who", "count", "expires", "on-expiry", "rework"], "Write it inside: `approve: { title: ... }`"),
    timeout: "Write `approve: { title: ..., expires: 2d }`",
  },
};
export const askStepWords: Vocabulary = {
  of: "a question",
  later: LATER_STEP_KINDS,
  synonyms: { ...controlSynonyms, depends_on: "needs", dependsOn: "needs" },
  elsewhere: {
    ...nowhereHere([...WORK_KEYS, "env", "budget"], "Only a step with a prompt or a command has it"),
    ...nowhereHere(["matrix", "foreach", "max", "fail-fast", "parallel"], "A question stands once; ask for a list instead"),
    ...nowhereHere(["choices", "default", "after", "question"], "Write it inside: `ask: { question: ... }`"),
    timeout: "Write `ask: { question: ..., default: ..., after: 1h }`",
  },
};
export const approveWords: Vocabulary = {
  of: "an approval",
  synonyms: {
    ...renamed(["description", "text", "body", "message"], "detail"),
    ...renamed(["approvers", "by", "users", "reviewers"], "who"),
    ...renamed(["required", "quorum"], "count"),
    ...renamed(["timeout", "expiry", "within"], "expires"),
    ...renamed(["name", "question"], "title"),
  },
};
export const askWords: Vocabulary = {
  of: "a question",
  synonyms: {
    ...renamed(["options", "answers"], "choices"),
    ...renamed(["timeout", "expires", "within"], "after"),
    ...renamed(["title", "text", "message"], "question"),
  },
  elsewhere: { who: "Anybody who can reach the inbox may answer a question" },
};
export const nestedStepWords: Vocabulary = {
  of: "a nested pipeline",
  later: LATER_STEP_KINDS,
  synonyms: {
    ...controlSynonyms,
    ...repeatedSynonyms,
    ...renamed(["inputs", "args", "params"], "with"),
    ...renamed(["loop", "until"], "repeat"),
    depends_on: "needs",
    dependsOn: "needs",
  },
  elsewhere: {
    ...nowhereHere([...WORK_KEYS, "timeout"], "Write it in the steps below"),
    defaults: "Steps written in place have the defaults of the file",
    name: "The step's id, the key it stands under, is its name",
    secrets: "Name secrets at the top of the file",
  },
};
export const repeatWords: Vocabulary = {
  of: "repeat",
  synonyms: { ...renamed(["times", "count", "rounds", "most"], "max"), ...renamed(["while", "condition"], "until") },
};
export const untilWords: Vocabulary = { of: "until", synonyms: renamed(COMMAND_WORDS, "command") };
export const inputWords: Vocabulary = {
  of: "an input",
  synonyms: { desc: "description", ...renamed(["enum", "options", "values"], "choices"), ...renamed(["value"], "default") },
  elsewhere: { required: "An input without `default` is required", secret: "Name secrets under `secrets`" },
};

export const agentWords: Vocabulary = {
  of: "a step's agent",
  synonyms: { name: "id", capabilities: "capability" },
  elsewhere: { model: settingsHint, executor: settingsHint, provider: settingsHint },
};

export const retryWords: Vocabulary = {
  of: "retry",
  synonyms: { max: "attempts", count: "attempts", times: "attempts", delay: "backoff", wait: "backoff" },
};
export const outputsWords: Vocabulary = { of: "outputs", synonyms: { file: "files", paths: "files", schema: "json" } };
export const jsonWords: Vocabulary = { of: "a JSON output", synonyms: { path: "file" } };
