import { actionMeaning } from "./known-actions.ts";
import type { ImportNote } from "./contract.ts";
import { asksForStatus, parseExpression } from "./expression.ts";
import { fillScript, fillValue } from "./fill-script.ts";
import { conditionText } from "./template.ts";
import { outcomeVariable, outputVariable, quoted, shellTest, type ShellScope } from "./to-shell.ts";
import type { Job, JobStep, StepDefaults, Variable } from "./workflow.ts";
import { prelude, type PreludeParts } from "./script-prelude.ts";
import { jsonOutput, type CelScope } from "./to-cel.ts";

export interface JobScriptRequest {
  job: Job;
  file: string;
  defaults: StepDefaults;
  cel: CelScope;
  /** See `ShellScope.variable`. */
  variable: ShellScope["variable"];
  /** Reasons why nothing of the job can run: the script says the first and stops. Without that line it would do what it can. */
  stops: string[];
  /** Variables of the workflow and of the job that only the command can compute. */
  exports: readonly Variable[];
  /** Where the job's outputs go, when other jobs read them, and which of them are read as JSON. */
  outputs: { file: string; asJson: ReadonlySet<string> } | undefined;
}

/**
 * One shell script that does what the job's steps do, in their order and each in a shell of its own, on a copy of the
 * project that ends with it, as a runner's does. What it cannot do stops it with a sentence.
 */
export function jobScript(request: JobScriptRequest): { command: string; notes: ImportNote[] } {
  const { job, file } = request;
  const head = [`# ${comment(file)}, job ${comment(job.id)} (line ${job.line})`];
  const stop = 'stop() { echo "stepfall import: $1" >&2; exit 1; }';
  const notes: ImportNote[] = [];
  const steps = new Map<string, boolean>();
  const body: string[] = exportLines(request, notes);
  for (const step of job.steps) {
    const scope = { cel: request.cel, steps, variable: request.variable };
    body.push("", ...stepLines(step, request, scope, notes));
    if (step.id !== undefined) steps.set(step.id, step.run !== undefined);
  }
  body.push("", ...outputLines(request, { cel: request.cel, steps, variable: request.variable }, notes));
  const text = body.join("\n");
  const parts: PreludeParts = {
    files: /\bGITHUB_(?:OUTPUT|ENV|PATH|STEP_SUMMARY)\b|\bout_\w/.test(text),
    runner: /\bRUNNER_(?:OS|ARCH|TEMP)\b/.test(text),
    json: text.includes("$(json "),
  };
  const machine = [...request.stops.map((because) => `stop ${word(because)}`), ...machineLines(request, notes)];
  const stops = [text, ...machine].some((line) => line.includes("stop '"));
  return { command: lines([...head, ...(stops ? [stop] : []), ...machine, ...prelude(parts), text, 'exit "$failed"']), notes };
}

const lines = (all: readonly string[]): string => `${all.join("\n")}\n`;
/** A text as one word of a shell. The pipeline would take `${{` for an expression of its own. */
const word = (text: string): string => `'${text.replaceAll("${{", "{{").replaceAll("'", `'\\''`)}'`;
const comment = (text: string): string => text.replaceAll("${{", "{{").replace(/\s+/g, " ").slice(0, 100);

function exportLines({ job, cel, variable, exports }: JobScriptRequest, notes: ImportNote[]): string[] {
  return exports.map(({ name, value, line }) => {
    const filled = fillValue(value, { cel, steps: new Map(), variable });
    const isName = /^[A-Za-z_]\w*$/.test(name);
    if (filled.ok && isName) return `export ${name}="${filled.text}"`;
    const because = filled.ok ? "no shell knows such a name" : filled.because;
    notes.push({ name: `jobs.${job.id}: env.${name}`, line, effect: "stops", message: because });
    return `stop ${word(`env.${name} (line ${line}): ${because}`)}`;
  });
}

function stepLines(step: JobStep, request: JobScriptRequest, scope: ShellScope, notes: ImportNote[]): string[] {
  const at = { name: `jobs.${request.job.id}.steps[${step.index}]`, line: step.line };
  const title = comment(step.name ?? step.run?.trim().split("\n")[0] ?? step.uses ?? "nothing");
  const mayFail = step.continueOnError === true;
  const stop = (because: string): string[] => {
    const message = `${at.name} (line ${step.line}): ${because}`;
    notes.push({ ...at, effect: "stops", message: because });
    return mayFail ? [`echo ${word(`stepfall import: ${message}`)} >&2`] : [`stop ${word(message)}`];
  };
  if (typeof step.continueOnError === "string")
    notes.push({ ...at, effect: "changed", message: "continue-on-error is an expression: its failure counts" });
  if (step.timeoutMinutes !== undefined)
    notes.push({ ...at, effect: "dropped", message: "timeout-minutes of a step: only the job has one" });
  const condition = stepTest(step, scope);
  const inner = innerLines(step, request, scope, at, notes, stop, title);
  if (inner.length === 0) return [`# ${title} (line ${step.line}): nothing to do here`];
  if (!condition.ok) return [`# ${title} (line ${step.line})`, ...stop(`its if: ${condition.because}`)];
  return [`# ${title} (line ${step.line})`, `if ${condition.test}; then`, ...inner, "fi"];
}

function stepTest(step: JobStep, scope: ShellScope): ReturnType<typeof shellTest> {
  const success = '[ "$failed" = 0 ]';
  const written = step.if?.value ?? true;
  if (typeof written !== "string") return { ok: true, test: written === false || written === 0 ? "false" : success };
  const text = conditionText(written);
  if (text === undefined) return { ok: false, because: "there is text around its ${{ }}, which GitHub takes for true" };
  if (text === "") return { ok: true, test: success };
  const parsed = parseExpression(text);
  if (!parsed.ok) return parsed;
  const test = shellTest(parsed.expression, scope);
  if (!test.ok || asksForStatus(parsed.expression)) return test;
  return { ok: true, test: `${success} && { ${test.test}; }` };
}

function innerLines(
  step: JobStep,
  request: JobScriptRequest,
  scope: ShellScope,
  at: { name: string; line: number },
  notes: ImportNote[],
  stop: (because: string) => string[],
  title: string,
): string[] {
  if (step.run === undefined) {
    if (step.uses === undefined) return stop("it has neither run nor uses");
    const meaning = actionMeaning(step);
    if (meaning.effect === "stops") return stop(meaning.message);
    if (meaning.effect !== "none") notes.push({ ...at, effect: meaning.effect, message: meaning.message });
    return [];
  }
  const asked = step.shell ?? request.job.defaults.shell ?? request.defaults.shell;
  if (asked !== undefined && !/^[\w./{}=:+ -]+$/.test(asked)) return stop("its shell is not supported; name a program and its options");
  const shell = shellOf(asked);
  const script =
    shell.isShell || !step.run.includes("${{")
      ? shell.isShell
        ? fillScript(step.run, scope)
        : { ok: true as const, text: step.run }
      : undefined;
  if (!script) return stop(`an expression in a script for ${shell.command} is not supported yet; hand it over in env`);
  if (!script.ok) return stop(script.because);
  const setting: string[] = [];
  for (const { name, value } of step.env) {
    const filled = fillValue(value, scope);
    if (!filled.ok) return stop(`env.${name}: ${filled.because}`);
    if (!/^[A-Za-z_]\w*$/.test(name)) return stop(`env.${name} is no name that a shell knows`);
    setting.push(`  export ${name}="${filled.text}"`);
  }
  const folder = step.workingDirectory ?? request.job.defaults.workingDirectory ?? request.defaults.workingDirectory;
  const where = folder === undefined ? undefined : fillValue(folder, scope);
  if (where && !where.ok) return stop(`working-directory: ${where.because}`);
  const end = delimiter(script.text);
  const text = script.text.endsWith("\n") ? script.text : `${script.text}\n`;
  const path = `"$runner/${shell.file ?? "script"}"`;
  const run = `${where === undefined || where.text === "." ? "" : `cd "${where.text}" && `}exec ${shell.command.replaceAll("{0}", path)}`;
  const isKept = step.id !== undefined;
  return [
    `cat > ${path} <<'${end}'`,
    `${shell.before ?? ""}${text}${end}`,
    "ended=success",
    "(",
    ...setting,
    `  ${run}`,
    ") < /dev/null || ended=failure",
    ...(isKept ? [`${outcomeVariable(step.id ?? "")}=$ended`] : []),
    ...(/GITHUB_(?:OUTPUT|ENV|PATH)/.test(text) ? [`keep ${outputVariable(step.id ?? "unnamed", "")}`] : []),
    step.continueOnError === true
      ? `[ $ended = success ] || echo ${word(`failed, and may: ${title}`)} >&2`
      : `[ $ended = success ] || { failed=1; echo ${word(`failed: ${title} (line ${step.line})`)} >&2; }`,
  ];
}

/** How GitHub starts each shell. */
function shellOf(name: string | undefined): { command: string; isShell: boolean; file?: string; before?: string } {
  switch (name) {
    case undefined:
      return { command: "bash -e {0}", isShell: true };
    case "bash":
      return { command: "bash --noprofile --norc -eo pipefail {0}", isShell: true };
    case "sh":
      return { command: "sh -e {0}", isShell: true };
    case "python":
      return { command: "python3 {0}", isShell: false };
    case "pwsh":
    case "powershell":
      return { command: "pwsh -NoProfile -File {0}", isShell: false, file: "script.ps1", before: "$ErrorActionPreference = 'stop'\n" };
    default:
      return { command: name.includes("{0}") ? name : `${name} {0}`, isShell: /^(?:\S*\/)?(?:ba|da|z|k)?sh\s/.test(`${name} `) };
  }
}

/** A line that the script does not hold. */
function delimiter(script: string): string {
  const taken = new Set(script.split("\n"));
  let end = "END_OF_STEP";
  for (let n = 2; taken.has(end); n++) end = `END_OF_STEP_${n}`;
  return end;
}

/** The labels say which machine; here it is the one it runs on. */
function machineLines({ job, cel, variable }: JobScriptRequest, notes: ImportNote[]): string[] {
  const at = { name: `jobs.${job.id}.runs-on`, line: job.line };
  const refuse = (label: string, system: string): string[] => {
    notes.push({ ...at, effect: "stops", message: `runs-on: ${label} asks for ${system}; elsewhere the step fails` });
    const message = word(`${at.name} (line ${at.line}): this job asks for ${system} (${label}); remove this line to run it here`);
    return [system === "macOS" ? `[ "$(uname -s)" = Darwin ] || stop ${message}` : `stop ${message}`];
  };
  const checks: string[] = [];
  for (const label of job.runsOn) {
    if (label.includes("${{")) {
      const asked = fillValue(label, { cel, steps: new Map(), variable });
      if (!asked.ok) {
        notes.push({ ...at, effect: "dropped", message: `runs-on: ${asked.because}` });
        continue;
      }
      notes.push({
        ...at,
        effect: "changed",
        message: "runs-on: the job runs on the machine at hand, and fails where it asks for another system",
      });
      const message = word(`${at.name} (line ${at.line}): this job asks for another system; remove this line to run it here`);
      checks.push(
        `case "${asked.text}" in`,
        `  (macos*|macOS*) [ "$(uname -s)" = Darwin ] || stop ${message} ;;`,
        `  (windows*|Windows*) stop ${message} ;;`,
        "esac",
      );
    } else if (/^macos/i.test(label)) checks.push(...refuse(label, "macOS"));
    else if (/^windows/i.test(label)) checks.push(...refuse(label, "Windows"));
    else if (!/^(?:ubuntu|linux$|self-hosted$)/i.test(label))
      notes.push({ ...at, effect: "dropped", message: `runs-on: ${label}; it runs on the machine at hand` });
  }
  return checks;
}

/** GitHub refuses other names. */
const OUTPUT_NAME = /^[A-Za-z_][\w-]*$/;

function outputLines({ job, outputs }: JobScriptRequest, scope: ShellScope, notes: ImportNote[]): string[] {
  if (!outputs) return [];
  const pairs: string[] = [];
  for (const { name, value, line } of job.outputs) {
    if (!OUTPUT_NAME.test(name)) continue;
    const filled = fillValue(value, scope);
    if (!filled.ok) {
      notes.push({ name: `jobs.${job.id}.outputs.${name}`, line, effect: "stops", message: filled.because });
      return [`stop ${word(`jobs.${job.id}.outputs.${name} (line ${line}): ${filled.because}`)}`];
    }
    pairs.push(`"${quoted(JSON.stringify(name))}: $(json "${filled.text}")"`);
    const asJson = JSON.stringify(jsonOutput(name));
    if (outputs.asJson.has(name)) pairs.push(`"${quoted(asJson)}: ${filled.text}"`);
  }
  return [
    "# What other jobs read of this one",
    'if [ "$failed" = 0 ]; then',
    `mkdir -p "$project/${quoted(outputs.file.split("/").slice(0, -1).join("/"))}"`,
    `{ echo "{"; separator=""; for pair in ${pairs.join(" ")}; do printf '%s%s\\n' "$separator" "$pair"; separator=,; done; echo "}"; } > "$project/${quoted(outputs.file)}"`,
    "fi",
  ];
}
