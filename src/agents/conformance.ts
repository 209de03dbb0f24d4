import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { AgentStep, CommandStep } from "../domain/index.ts";
import type {
  AgentHost,
  AttemptTask,
  ExecutionContext,
  ExecutionResult,
  Executor,
  Messages,
  OutputLine,
  PermissionRequest,
} from "./contract.ts";
import { createLocalHost } from "./host/local.ts";
import { takesMessages } from "./takes-messages.ts";

/** What the suite needs an agent to do. `marker` is to be in the command line of every process it starts, to find them by. */
export type Behaviour =
  | { does: "write"; path: string; content: string }
  /** Changes nothing and says it is done. */
  | { does: "lie" }
  /** Says that it cannot do it, with this reason. */
  | { does: "fail"; reason: string }
  /** Starts a child that never ends, and waits for it. */
  | { does: "hang"; marker: string }
  /** The same, and its child ignores TERM and INT. */
  | { does: "ignore-signals"; marker: string }
  /** Leaves children behind, one in a session of its own, and says it is done. */
  | { does: "leave-children"; marker: string }
  /** Kills its own process. */
  | { does: "crash" }
  /** Writes output without end. */
  | { does: "flood" }
  | { does: "print"; text: string };

/** What only agents with a conversation can do. */
export type TalkBehaviour =
  /** Asks leave to write a file, and writes it when it may. */
  | { does: "ask"; path: string; content: string }
  /** Is told a word and ends. */
  | { does: "remember"; word: string }
  /** Is prompted without the word, in the session that was told it. */
  | { does: "recall"; word: string }
  /** Works, ends, and is told the word by a person meanwhile. */
  | { does: "listen"; word: string };

export interface Arranged {
  step: CommandStep | AgentStep;
  prompt: string;
  gateway?: ExecutionContext["gateway"];
}

export interface BehaviourDriver {
  executor: Executor;
  /** Whether it says how many tokens were used; with figures when they are not 11 in and 7 out. */
  reportsTokens: boolean | { inputTokens: number; outputTokens: number };
  /** Makes the agent of the next `execute` behave so. */
  arrange(behaviour: Behaviour): Promise<Arranged>;
  /** The same. Missing only where `cannot` names `ask` and `resume` and its executor takes no messages. */
  arrangeTalk?(behaviour: TalkBehaviour): Promise<Arranged>;
  /** Whether the agent of the last `execute` still had the word. */
  hadWord?(word: string): boolean;
  /** After each test. */
  cleanUp(): Promise<void>;
}

export type Ability = Behaviour["does"] | "ask" | "resume" | "listen";

export interface ConformanceOptions {
  /**
   * What this agent cannot be brought to show, each with the reason, which begins a sentence with the agent in mind. It is
   * listed in a test's name; what is not listed is tested.
   */
  cannot?: Partial<Record<Ability, string>>;
  /** Most a transcript may hold, for agents that are wordy by nature. Default 512 KiB; a flood must be more. */
  transcriptLimitBytes?: number;
  /** How long the agent may take to start its tool. Default 20 s. */
  patienceMs?: number;
  /** Puts something between the executor and its host: a sandbox, whose `home` is `folder`. */
  within?(host: AgentHost, place: { folder: string; gateway: ExecutionContext["gateway"] }): Promise<AgentHost>;
}

const isTalk = (behaviour: Behaviour | TalkBehaviour): behaviour is TalkBehaviour =>
  ["ask", "remember", "recall", "listen"].includes(behaviour.does);

const withoutTalk: Partial<Record<Ability, string>> = { ask: "it asks no leave", resume: "it keeps no session" };

/** A step with the defaults filled in. */
export const stepBase = {
  path: "sum",
  needs: [],
  readonly: false,
  outputs: { files: [] },
  gates: [],
  setup: [],
  retry: { attempts: 3, backoffMs: 0 },
  timeoutMs: 60_000,
  env: {},
  touches: [],
  priority: 0,
};

const SECRET = "sk-conformance-1234567890";

/** Command lines of living processes that hold the marker; asked of the system, not of the code under test. */
function withMarker(marker: string): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const cmdline = readFileSync(`/proc/${pid}/cmdline`, "utf8");
        return cmdline.includes(marker) ? [`${pid}: ${cmdline.replaceAll("\0", " ")}`] : [];
      } catch {
        return [];
      }
    });
}

async function until(condition: () => boolean, ms: number): Promise<void> {
  for (const end = performance.now() + ms; !condition();) {
    if (performance.now() > end) throw new Error("waited too long");
    await sleep(10);
  }
}

/** What every executor must do, whatever its agent does. Linux only: it reads /proc. */
export function executorConformance(
  name: string,
  makeDriver: () => Promise<BehaviourDriver>,
  { cannot = withoutTalk, transcriptLimitBytes = 512 * 1024, patienceMs = 20_000, within }: ConformanceOptions = {},
): void {
  describe(`${name} passes the conformance suite`, () => {
    const can = (ability: Ability, title: string, body: () => Promise<void>): void => {
      if (cannot[ability] === undefined) test(title, body);
    };
    let folder: string;
    let driver: BehaviourDriver;
    let counter = 0;
    const marker = () => `1000.${Date.now()}${counter++}`;

    beforeEach(async () => {
      folder = mkdtempSync(join(tmpdir(), "stepfall-executor-"));
      for (const part of ["tree", "home", "tmp"]) mkdirSync(join(folder, part));
      driver = await makeDriver();
    });
    afterEach(async () => {
      await driver.cleanUp();
      rmSync(folder, { recursive: true, force: true });
    });

    async function arrange(behaviour: Behaviour | TalkBehaviour): Promise<Arranged> {
      if (!isTalk(behaviour)) return driver.arrange(behaviour);
      if (!driver.arrangeTalk) throw new Error("the driver has no arrangeTalk, and `cannot` does not say so");
      return driver.arrangeTalk(behaviour);
    }

    interface Options extends Pick<ExecutionContext, "permit" | "messages"> {
      signal?: AbortSignal;
      deadlineMs?: number;
      resume?: string;
    }
    async function execute(behaviour: Behaviour | TalkBehaviour, options: Options = {}) {
      const { step, prompt, gateway } = await arrange(behaviour);
      const attempt = `run-${process.pid}-${counter++}/sum#1`;
      const local = createLocalHost({
        home: join(folder, "stepfall"),
        clock: { now: () => Date.now() },
        mask: (text) => text.replaceAll(SECRET, "***"),
        transcriptLimitBytes,
        grace: { termMs: 300, intMs: 100 },
      });
      const host = (await within?.(local, { folder, gateway })) ?? local;
      const resume = options.resume === undefined ? {} : { resume: options.resume };
      const task: AttemptTask = { attempt, runId: "run", step, prompt, feedback: [], ...resume };
      const progress: string[] = [];
      const context: ExecutionContext = {
        host,
        workspace: { tree: join(folder, "tree"), home: join(folder, "home"), tmp: join(folder, "tmp") },
        env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", HOME: join(folder, "home"), TMPDIR: join(folder, "tmp") },
        transcript: join(folder, "transcripts", "sum-1.ndjson"),
        deadlineMs: options.deadlineMs ?? 60_000,
        signal: options.signal ?? new AbortController().signal,
        ...(gateway ? { gateway } : {}),
        ...(options.permit ? { permit: options.permit } : {}),
        ...(options.messages ? { messages: options.messages } : {}),
        progress: (text) => void progress.push(text),
      };
      const result: ExecutionResult = await driver.executor.execute(task, context);
      const transcript: OutputLine[] = readFileSync(context.transcript, "utf8")
        .trim()
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line));
      expect(existsSync(join(folder, "stepfall/processes", "run")), "no record is left").toBe(false);
      return { result, transcript, progress, tree: join(folder, "tree") };
    }

    can("write", "an agent that writes a file has ended, and the file is there", async () => {
      const { result, tree, progress } = await execute({ does: "write", path: "src/sum.js", content: "export const sum = 1;\n" });
      expect(result.kind, JSON.stringify(result)).toBe("ended");
      expect(readFileSync(join(tree, "src/sum.js"), "utf8")).toBe("export const sum = 1;\n");
      expect(progress.length).toBeGreaterThan(0);
    });

    test("an agent that lies has ended: telling is not the executor's business", async () => {
      const { result, tree } = await execute({ does: "lie" });
      expect(result.kind, JSON.stringify(result)).toBe("ended");
      expect(readdirSync(tree)).toEqual([]);
    });

    can("fail", "an agent that says it cannot do it has failed, with its reason", async () => {
      const { result } = await execute({ does: "fail", reason: "the spec contradicts itself" });
      expect(result).toMatchObject({ kind: "failed", because: "agent", message: expect.stringContaining("the spec contradicts itself") });
    });

    can("hang", "an agent cancelled in the middle is gone with its children", async () => {
      const mark = marker();
      const cancel = new AbortController();
      const running = execute({ does: "hang", marker: mark }, { signal: cancel.signal });
      await until(() => withMarker(`sleep\0${mark}`).length > 0, patienceMs);
      cancel.abort();
      expect((await running).result.kind).toBe("aborted");
      expect(withMarker(mark)).toEqual([]);
    });

    can("hang", "an attempt that was cancelled before it began is aborted", async () => {
      const mark = marker();
      const { result } = await execute({ does: "hang", marker: mark }, { signal: AbortSignal.abort() });
      expect(result.kind).toBe("aborted");
      expect(withMarker(mark)).toEqual([]);
    });

    can("hang", "an agent that hangs is ended at its deadline, with its children", async () => {
      const mark = marker();
      const { result } = await execute({ does: "hang", marker: mark }, { deadlineMs: 1500 });
      expect(result).toMatchObject({ kind: "failed", because: "timeout" });
      expect(withMarker(mark)).toEqual([]);
    });

    can("ignore-signals", "children that ignore TERM and INT are killed", async () => {
      const mark = marker();
      const cancel = new AbortController();
      const running = execute({ does: "ignore-signals", marker: mark }, { signal: cancel.signal });
      await until(() => withMarker(`sleep\0${mark}`).length > 0, patienceMs);
      cancel.abort();
      expect((await running).result.kind).toBe("aborted");
      expect(withMarker(mark)).toEqual([]);
    });

    can("leave-children", "children left behind, also in a session of their own, do not outlive the attempt", async () => {
      const mark = marker();
      const { result } = await execute({ does: "leave-children", marker: mark });
      expect(result.kind, JSON.stringify(result)).toBe("ended");
      expect(withMarker(mark)).toEqual([]);
    });

    can("crash", "an agent whose process dies has crashed", async () => {
      const { result } = await execute({ does: "crash" });
      expect(result).toMatchObject({ kind: "failed", because: "crash" });
    });

    can("flood", "an agent that floods its output is stopped, and the transcript stays within its limit", async () => {
      const { result, transcript } = await execute({ does: "flood" });
      expect(result).toMatchObject({ kind: "failed", because: "agent", message: expect.stringContaining("more output") });
      expect(JSON.stringify(transcript).length).toBeLessThan(transcriptLimitBytes * 1.2);
    });

    can("print", "the transcript has every line in order, and no secret", async () => {
      const { transcript } = await execute({ does: "print", text: `the key is ${SECRET}, hush` });
      expect(transcript.map((line) => line.seq)).toEqual(transcript.map((_, index) => index + 1));
      const all = transcript.map((line) => line.text).join("\n");
      expect(all).toContain("the key is ***, hush");
      expect(all).not.toContain(SECRET);
    });

    test("preflight really starts the agent", async () => {
      const { gateway } = await driver.arrange({ does: "lie" });
      const host = createLocalHost({ home: join(folder, "stepfall"), clock: { now: () => Date.now() }, mask: (text) => text });
      const scratch = join(folder, "tmp");
      const env = { PATH: process.env["PATH"] ?? "/usr/bin:/bin" };
      const ask = (more: typeof env) =>
        driver.executor.preflight({ host, env: more, scratch, signal: new AbortController().signal, ...(gateway ? { gateway } : {}) });
      expect(await ask(env)).toMatchObject({ ok: true });
      expect(readFileSync(join(scratch, "preflight.ndjson"))).toBeDefined();
    });

    test("tokens are told where the agent knows them, and never with a price it does not know", async () => {
      const { result } = await execute({ does: "lie" });
      const figures = driver.reportsTokens === true ? { inputTokens: 11, outputTokens: 7 } : driver.reportsTokens;
      if (figures) expect(result.reported).toMatchObject({ calls: 1, ...figures });
      else expect(result.reported).toBeUndefined();
      expect(result.usage).toBeUndefined();
    });

    can("ask", "an agent that asks leave and gets it does what it asked for", async () => {
      const asked: PermissionRequest[] = [];
      const permit: ExecutionContext["permit"] = async (request) => {
        asked.push(request);
        return { allow: true };
      };
      const { result, tree } = await execute({ does: "ask", path: "sum.js", content: "1\n" }, { permit });
      expect(result.kind, JSON.stringify(result)).toBe("ended");
      expect(asked.length).toBeGreaterThan(0);
      expect(asked[0]?.title).not.toBe("");
      expect(readFileSync(join(tree, "sum.js"), "utf8")).toBe("1\n");
    });

    can("ask", "an agent that asks leave and is refused does not do it, and the reason is told", async () => {
      const permit: ExecutionContext["permit"] = () => Promise.resolve({ allow: false, because: "the step allows no edits" });
      const { tree, progress } = await execute({ does: "ask", path: "sum.js", content: "1\n" }, { permit });
      expect(existsSync(join(tree, "sum.js"))).toBe(false);
      expect(progress.join("\n")).toContain("the step allows no edits");
    });

    can("resume", "a session is taken up by a later process, with all that was said in it", async () => {
      const word = `zebra-${process.pid}`;
      const { result } = await execute({ does: "remember", word });
      expect(result.session, JSON.stringify(result)).toBeDefined();
      const later = await execute({ does: "recall", word }, { resume: result.session ?? "" });
      expect(later.result).toMatchObject({ kind: "ended", session: result.session });
      expect(driver.hadWord?.(word)).toBe(true);
    });

    can("listen", "what a person says while it works reaches it and is said to have, or nobody looks for it", async () => {
      const word = `heron-${process.pid}`;
      const delivered: number[] = [];
      let asked = 0;
      const messages: Messages = {
        follow: (take) => {
          asked += 1;
          for (const n of [1, 2]) take({ n, by: "ann", text: `${word}-${n}` });
          return { [Symbol.dispose]: () => {} };
        },
        delivered: (n) => void delivered.push(n),
      };
      if (!takesMessages(driver.executor.kind)) {
        await execute({ does: "lie" }, { messages });
        expect([asked, delivered]).toEqual([0, []]);
        return;
      }
      const { result } = await execute({ does: "listen", word }, { messages });
      expect(result.kind, JSON.stringify(result)).toBe("ended");
      expect(delivered).toEqual([1, 2]);
      for (const n of delivered) expect(driver.hadWord?.(`${word}-${n}`)).toBe(true);
    });

    const unshown = Object.entries(cannot);
    if (unshown.length > 0)
      test(`what cannot be shown of it: ${unshown.map(([ability, why]) => `${ability} (${why})`).join("; ")}`, () => {
        for (const [ability, why] of unshown) expect(why, ability).not.toBe("");
      });

    test("an agent that cannot be started has failed before doing anything", async () => {
      const { step, prompt, gateway } = await driver.arrange({ does: "lie" });
      writeFileSync(join(folder, "not-a-folder"), "");
      const host = createLocalHost({ home: join(folder, "stepfall"), clock: { now: () => Date.now() }, mask: (text) => text });
      const result = await driver.executor.execute(
        { attempt: "run/sum#1", runId: "run", step, prompt, feedback: [] },
        {
          host,
          workspace: { tree: join(folder, "not-a-folder"), home: folder, tmp: folder },
          env: {},
          transcript: join(folder, "t.ndjson"),
          deadlineMs: 5000,
          signal: new AbortController().signal,
          progress: () => {},
          ...(gateway ? { gateway } : {}),
        },
      );
      expect(result).toMatchObject({ kind: "failed", because: "setup" });
    });
  });
}
