import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command, CommanderError, Option } from "commander";
import { Exit, type Cli } from "./cli.ts";
import { RequestError } from "../setup/failure.ts";
import type { Output } from "./output.ts";
import { packageRoot } from "./package-root.ts";
import { reportError } from "./report-error.ts";
import { templates } from "./setup/templates.ts";

export interface Invocation {
  argv: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
  cwd: string;
  out: Output;
  isInteractive: boolean;
  /** How a person calls this program. */
  program: string;
}

interface GlobalOptions {
  json?: boolean;
  input?: boolean;
  home?: string;
}

/** Commands that later versions bring: they answer by name instead of pretending not to exist. */
const later: readonly string[] = ["fork", "rollback", "node", "autopilot"];

/** Parses the arguments, runs one command, answers its exit code. Each command is loaded when it is called: `--help` loads none. */
export async function runProgram(invocation: Invocation): Promise<number> {
  const { argv, env, cwd, out } = invocation;
  const version = ownVersion();
  let code: number = Exit.ok;
  let cli: Cli = {
    env,
    cwd,
    out,
    clock: { now: () => Date.now() },
    json: argv.includes("--json"),
    canAsk: false,
    program: invocation.program,
  };

  const program = new Command("stepfall")
    .description("Runs fleets of coding agents on pipelines, checks every result on disk, and keeps an honest bill.")
    .version(version, "--version", "print the version")
    .option("--json", "data as JSON on stdout (streams: one object a line)")
    .option("--no-input", "never ask anything")
    .option("--home <dir>", "Stepfall's own folder, instead of $STEPFALL_HOME")
    .helpCommand(false)
    .showSuggestionAfterError(true)
    .configureHelp({ showGlobalOptions: true })
    // What is wrong with the arguments is told below, as all other errors are.
    .configureOutput({ writeOut: (text) => out.data(text.trimEnd()), writeErr: (text) => out.note(text.trimEnd()), outputError: () => {} })
    .exitOverride();

  const command = (
    name: string,
    description: string,
    act: (cli: Cli, args: string[], options: Record<string, unknown>) => Promise<number>,
  ): Command => {
    const made = program.command(name).description(description).exitOverride();
    made.action(async (...given: unknown[]) => {
      const all = made.optsWithGlobals<GlobalOptions & Record<string, unknown>>();
      const home = all.home === undefined ? undefined : resolve(cwd, all.home);
      if (all.home === "") throw new RequestError("USAGE", "--home is empty", "Give a folder.");
      cli = { ...cli, json: all.json === true, canAsk: invocation.isInteractive && all.input !== false && all.json !== true, home };
      const args = given
        .slice(0, -2)
        .flat()
        .filter((a): a is string => typeof a === "string");
      code = await act(cli, args, all);
    });
    return made;
  };

  command("do [tasks...]", "have one thing or several done, each by an agent: no pipeline file needed", async (c, args, o) =>
    (await import("./commands/do.ts")).doTasks(c, args, o),
  )
    .option("--gate <cmd>", "a command that decides whether work is accepted, instead of those found; may be given several times", collect)
    .option("--no-gates", "accept any change")
    .option("--setup <cmd>", "a command that prepares a workspace, instead of those found; may be given several times", collect)
    .option("--no-setup", "prepare nothing")
    .option(
      "--batch <file>",
      "tasks from a JSON or YAML file: sentences, or maps with task, gates, setup, outputs, touches, needs, id, budget",
    )
    .option("--plan", "look first, then plan, then build the parts side by side (the template scout-plan-build)")
    .option("--dry-run", "print the pipeline and start nothing");
  command("run [file]", "run a pipeline on the project you are in", async (c, args, o) =>
    (await import("./commands/run.ts")).run(c, args[0], o),
  )
    .option("--with <name=value>", "a value for an input of the pipeline; may be given several times", collect, [])
    .option("--again <run>", "instead of a file: what that run did, once more from what is committed now, with its inputs and options");
  for (const name of ["do", "run"]) {
    program.commands
      .find((c) => c.name() === name)
      ?.option("--slots <n>", "attempts at once")
      .option("--budget <usd>", "most the run may spend")
      .option("--model <provider/model>", "use this model, as the agent `chat`")
      .option("--model-url <url>", "where that model is reached (an OpenAI-compatible API); its key is $STEPFALL_MODEL_KEY")
      .option("--agent <id>", "the agent of steps that ask for none")
      .option("--wait", "wait for people's answers instead of ending with exit code 3")
      .option("--include-dirty", "take uncommitted changes along")
      .option("--merge", "after success, merge the result into the branch that is checked out")
      .option("--open", "show the run in the dashboard; its server is started where there is none")
      .option("--estimate", "say what it is expected to cost, with its range, and start nothing")
      .option("--keep", "keep the workspaces of attempts")
      .option("--sandbox <policy>", "require, prefer or off: whether agents and gates must run in a sandbox; prefer without it")
      .option("--grace <duration>", "how long attempts may finish after Ctrl-C");
  }
  command("resume [run]", "go on with a run that was stopped, or whose process died", async (c, args, o) =>
    (await import("./commands/resume.ts")).resume(c, args[0], o),
  )
    .option("--slots <n>", "attempts at once")
    .option("--budget <usd>", "a new limit, for a run that a budget stopped")
    .option("--sandbox <policy>", "require, prefer or off, from here on")
    .option("--wait", "wait for people's answers instead of ending with exit code 3")
    .option("--grace <duration>", "how long attempts may finish after Ctrl-C");
  command("ps", "list runs", async (c, _, o) => (await import("./commands/ps.ts")).ps(c, { all: o["all"] === true })).option(
    "--all",
    "of all projects",
  );
  command("show [run]", "what happened in a run: steps, attempts, gates, findings", async (c, args) =>
    (await import("./commands/show.ts")).show(c, args[0]),
  );
  command("logs [run]", "what agents and gates printed; with --system what Stepfall's own processes said", async (c, args, o) => {
    const follow = o["follow"] === true;
    const { step, level, last } = o as Record<string, string | undefined>;
    return o["system"] === true
      ? (await import("./commands/system-log.ts")).systemLog(c, args[0], { follow, step, level, last })
      : (await import("./commands/logs.ts")).logs(c, args[0], { follow, step, onlySystem: { level, last } });
  })
    .option("-f, --follow", "go on until the run ends")
    .option("--step <id>", "only this step")
    .option("--system", "what Stepfall's own processes said: drivers, the server, the gateway, hooks")
    .option("--level <level>", "with --system: debug, info, warn or error, and what is above it")
    .option("--last <n>", "with --system: so many lines; default 200, 0 is all");
  command("watch [run]", "look at a run while it goes on, and steer it; without a run at all of this home", async (c, args) =>
    (await import("./commands/watch.ts")).watch(c, args[0]),
  );
  command("attach <step>", "follow the agent that works on a step; what is typed is said to it", async (c, args, o) =>
    (await import("./commands/attach.ts")).attach(c, args[0] ?? "", {
      run: o["run"] as string | undefined,
      message: o["message"] as string | undefined,
    }),
  )
    .option("--run <id>", "of this run; the latest without it")
    .option("--message <text>", "say this to it and leave");
  command("cost [run]", "the bill of a run; or of all runs, what was saved, and what would have been cheapest", async (c, args, o) =>
    (await import("./commands/cost.ts")).cost(c, args[0], o),
  )
    .option("--by <what>", "sum up all runs of this project by run, step, agent, model, tier, day or policy, with what was saved")
    .option("--since <duration>", "only what is not older, such as 7d")
    .option("--all", "of all projects")
    .option("--advise", "which agent alone, or which cascade, would have been cheapest at as many right results");
  command("gates", "what each gate said, and how often it turned out to be wrong", async (c, _, o) =>
    (await import("./commands/gates.ts")).gates(c, o),
  )
    .option("--since <duration>", "only what is not older, such as 30d")
    .option("--all", "of all projects");
  command("cancel [run]", "end a run for good", async (c, args, o) =>
    (await import("./commands/cancel.ts")).cancel(c, args[0], { reason: o["reason"] as string | undefined }),
  ).option("--reason <text>", "why, for the record");
  command("reassign <step>", "end the attempt that runs and give the step to another agent", async (c, args, o) =>
    (await import("./commands/reassign.ts")).reassign(c, args[0] ?? "", o),
  )
    .option("--agent <id>", "this one, instead of any other")
    .option("--run <id>", "of this run; the latest without it")
    .option("--reason <text>", "why, for the record");
  command("feedback <step> <verdict>", "say what a result turned out to be worth: right or wrong", async (c, args, o) =>
    (await import("./commands/feedback.ts")).feedback(c, args[0] ?? "", args[1] ?? "", o),
  )
    .option("--run <id>", "of this run; the latest without it")
    .option("--attempt <n>", "this attempt; without it the last that was judged")
    .option("--reason <text>", "why, for the record");
  command("inbox", "what waits for people, of all runs", async (c) => (await import("./commands/inbox.ts")).inbox(c));
  command("approve <item>", "agree to what an approval or an agent asks", async (c, args) =>
    (await import("./commands/inbox.ts")).answer(c, args[0] ?? "", { verdict: "approve" }),
  );
  command("reject <item> [reason]", "refuse it, or have the work done again", async (c, args, o) =>
    (await import("./commands/inbox.ts")).answer(c, args[0] ?? "", {
      verdict: o["rework"] === undefined ? "reject" : "rework",
      text: (o["rework"] as string | undefined) ?? args[1],
    }),
  ).option("--rework <text>", "have the work done again, with this said to whoever does it");
  command("answer <item> <text>", "answer a question", async (c, args) =>
    (await import("./commands/inbox.ts")).answer(c, args[0] ?? "", { verdict: "answer", text: args[1] }),
  );
  command("merge [run]", "merge a run's result into the branch that is checked out", async (c, args, o) =>
    (await import("./commands/merge.ts")).merge(c, args[0], { partial: o["partial"] === true }),
  ).option("--partial", "also of a run that failed or is not over");
  command("clean [run]", "remove what finished runs left: workspaces, transcripts, branch", async (c, args, o) =>
    (await import("./commands/clean.ts")).clean(c, args[0], { all: o["all"] === true, yes: o["yes"] === true, force: o["force"] === true }),
  )
    .option("--all", "every finished run of this project")
    .option("--yes", "do not ask")
    .option("--force", "also delete branches that were not merged");
  command("gc", "show what nobody owns any more: workspaces, processes, refs, sockets, ports, caches; --yes removes it", async (c, _, o) =>
    (await import("./commands/gc.ts")).gc(c, {
      apply: o["yes"] === true || o["apply"] === true,
      olderThan: o["olderThan"] as string | undefined,
      transcriptsOlderThan: o["transcriptsOlderThan"] as string | undefined,
    }),
  )
    .option("--yes", "remove it")
    .option("--apply", "the same")
    .option("--older-than <duration>", "how long a run is over before its refs count; 7d without it")
    .option("--transcripts-older-than <duration>", "also transcripts of runs that ended before that");
  command("doctor", "check this machine and the settings", async (c, _, o) => (await import("./commands/doctor.ts")).doctor(c, o))
    .addOption(new Option("--model <provider/model>", "check this model too"))
    .addOption(new Option("--model-url <url>", "where it is reached"));
  command("models", "every known model: tier, price, whether it is ready, which agents use it", async (c, _, o) =>
    (await import("./commands/models.ts")).models(c, o),
  );
  command("route <file>", "to whom the steps of a pipeline would go now, and why; starts nothing", async (c, args, o) =>
    (await import("./commands/route.ts")).route(c, args[0] ?? "", o),
  )
    .option("--explain", "factor by factor, with what was learnt")
    .option("--step <id>", "only this step")
    .addOption(new Option("--model <provider/model>", "as `run` would with it"))
    .addOption(new Option("--model-url <url>", "where it is reached"))
    .option("--agent <id>", "as `run` would with it");
  command(
    "bench-agents [workload]",
    "try agents on the tasks of a workload: accuracy, time, cost, reliability; teaches routing",
    async (c, args, o) => (await import("./commands/bench-agents.ts")).benchAgents(c, args[0], o),
  )
    .option("--agents <ids>", "only these, separated by commas; without it those the workload names, else all of the settings")
    .option("--only <tasks>", "only these tasks, separated by commas")
    .option("--repeat <n>", "how often each agent does each task, instead of what the workload says")
    .option("--budget <usd>", "most that this call may spend, all runs together")
    .option("--slots <n>", "attempts at once")
    .option("--priors <file>", "also write what routing learns to this file, for --learn-from elsewhere")
    .option("--no-priors", "routing learns nothing from it")
    .option("--learn-from <file>", "take such a file in, and start nothing")
    .option("--dry-run", "say what would be run, and start nothing")
    .addOption(new Option("--model <provider/model>", "try this model, as the agent `chat`"))
    .addOption(new Option("--model-url <url>", "where it is reached"))
    .option("--sandbox <policy>", "require, prefer or off: whether agents and gates must run in a sandbox; prefer without it")
    .option("--grace <duration>", "how long attempts may finish after Ctrl-C");
  command("validate <files...>", "check pipeline files and start nothing", async (c, args) =>
    (await import("./commands/validate.ts")).validate(c, args),
  );
  command("graph <file>", "draw what waits for what in a pipeline", async (c, args, o) =>
    (await import("./commands/graph.ts")).graph(c, args[0] ?? "", { mermaid: o["mermaid"] === true }),
  ).option("--mermaid", "as a Mermaid flowchart");
  command("import <file>", "make a pipeline of a GitHub Actions workflow", async (c, args, o) =>
    (await import("./commands/import.ts")).importWorkflow(c, args[0] ?? "", { out: o["out"] as string | undefined }),
  ).option("--out <file>", "write it there, never over a file, instead of printing it");
  command("hooks", "programs and webhooks that are told of events, and what could not be delivered to them", async (c, _, o) =>
    (await import("./commands/hooks.ts")).hooks(c, { retry: o["retry"] === true }),
  ).option("--retry", "send again what was given up on");
  command("report [run]", "a run in Markdown: outcome, steps, gates with evidence, cost; each figure with its event", async (c, args, o) =>
    (await import("./commands/report.ts")).report(c, args[0], {
      out: o["out"] as string | undefined,
      phase: o["phase"] as string | undefined,
    }),
  )
    .option("--out <file>", "write it there, never over a file, instead of printing it")
    .option("--phase <name>", "only this phase of the pipeline");
  command("init", "write stepfall.yaml and a first pipeline into this project", async (c, _, o) =>
    (await import("./commands/init.ts")).init(c, { template: o["template"] as string | undefined }),
  ).option("--template <name>", `begin with a pipeline that comes along: ${templateList}`);
  command("serve-agent <agent>", "offer an agent of the settings to others over A2A, on this machine", async (c, args, o) =>
    (await import("./commands/serve-agent.ts")).serveAgent(c, args[0] ?? "", o),
  )
    .option("--port <n>", "where; any free one without it")
    .option("--token-env <name>", "the variable that holds the token callers must show; one is made without it");
  command("up", "the dashboard and the API of this home, in a browser of this machine; runs go on without it", async (c, _, o) =>
    (await import("./commands/up.ts")).up(c, { ...o, version: ownVersion() }),
  )
    .option("--port <n>", "where; 7788 without it, or any free one when that is taken")
    .option("--open", "open it in the browser")
    .option("--no-open", "do not open it, which is so without it")
    .option("--role <role>", "what whoever opens the link may do: viewer, operator or approver; approver without it")
    .option("--allow-approve", "approvals and more money, too, may be decided by agents over MCP; without it a person decides");
  command("mcp", "offer runs as tools to another agent: an MCP server on standard input and output", async (c, _, o) =>
    (await import("./commands/mcp.ts")).mcp(c, { allowApprove: o["allowApprove"] === true, version: ownVersion() }),
  ).option("--allow-approve", "approvals and more money, too, may be decided by the agent that calls; without it a person decides");
  command("demo", "run a small example with a scripted model: no key, no network", async (c, _, o) =>
    (await import("./commands/demo.ts")).demo(c, {
      slots: o["slots"] as string | undefined,
      approve: o["approve"] === true,
      wait: o["wait"] === true,
    }),
  )
    .option("--slots <n>", "attempts at once")
    .option("--approve", "ask you in the middle, before it goes on")
    .option("--wait", "stay while it waits for you");
  for (const name of later) {
    program
      .command(name, { hidden: true })
      .allowUnknownOption()
      .allowExcessArguments()
      .helpOption(false)
      .action(() => {
        throw new RequestError("NOT_SUPPORTED_YET", `\`stepfall ${name}\` is not supported yet`, "`stepfall --help` lists what is.");
      });
  }

  program
    .command("help [command]", { hidden: true })
    .helpOption(false)
    .action((name: string | undefined) => out.data(helpOf(program, name).trimEnd()));

  try {
    if (argv.length === 0) {
      out.note(program.helpInformation().trimEnd());
      return Exit.usage;
    }
    await program.parseAsync([...argv], { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? Exit.ok : reportError(cli, usageError(program, argv, error));
    return reportError(await withHome(cli), error);
  }
}

const collect = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];

const templateList = Object.entries(templates)
  .map(([name, { about }]) => `${name} (${about})`)
  .join("; ");

/** What `--help` prints, of the program or of one command. */
function helpOf(program: Command, name: string | undefined): string {
  if (name === undefined) return program.helpInformation();
  if (later.includes(name))
    throw new RequestError("NOT_SUPPORTED_YET", `\`stepfall ${name}\` is not supported yet`, "`stepfall --help` lists what is.");
  const command = program.commands.find((c) => c.name() === name);
  if (!command || name === "help") throw new RequestError("USAGE", `there is no command ${name}`, "`stepfall --help` lists them.");
  return command.helpInformation();
}

/** commander's word for it, in the form of all errors: its guess at what was meant is the hint. */
function usageError(program: Command, argv: readonly string[], error: CommanderError): RequestError {
  const [first = "", ...rest] = error.message.replace(/^error: /, "").split("\n");
  const guess = rest.join(" ").replace(/^\((.*)\)$/, "$1");
  const command = program.commands.find((c) => argv.includes(c.name()) && !later.includes(c.name()));
  return new RequestError("USAGE", first, guess || `\`stepfall ${command ? `${command.name()} ` : ""}--help\` says what can be given.`);
}

/** The home folder, for the log of an unexpected error. */
async function withHome(cli: Cli): Promise<Cli> {
  if (cli.home !== undefined) return cli;
  const { stepfallHome } = await import("../config/index.ts");
  return { ...cli, home: stepfallHome(cli.env, cli.cwd) };
}

function ownVersion(): string {
  const { version } = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8")) as { version: string };
  return version;
}
