import fc from "fast-check";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { AgentHandle, AgentHost } from "../contract.ts";
import { keeperHost, specIn, until, withMarker } from "./keeper.testkit.ts";
import { Replay } from "./replay.ts";

test("a line that came after an input waits until the input is repeated, and each input is repeated once", () => {
  const replay = new Replay([
    { id: "1", seen: 0, text: "a" },
    { id: "2", seen: 2, text: "b" },
    { id: "3", seen: 2, text: "a" },
  ]);
  expect([1, 2, 3].map((seq) => replay.mayPass(seq))).toEqual([false, false, false]);
  expect([replay.takes("x"), replay.takes("a")]).toEqual([false, true]);
  expect([1, 2, 3].map((seq) => replay.mayPass(seq))).toEqual([true, true, false]);
  // In whatever order they come now.
  expect([replay.takes("a"), replay.takes("a"), replay.takes("b"), replay.takes("b")]).toEqual([true, false, true, false]);
  expect(replay.mayPass(99)).toBe(true);
});

test("an input that is not repeated holds nothing back for ever, and is still not written a second time", () => {
  const replay = new Replay([{ id: "1", seen: 0, text: "cancel" }]);
  replay.holdNothing();
  expect(replay.mayPass(5)).toBe(true);
  expect(replay.takes("cancel")).toBe(true);
});

/** Says so many lines to each line it reads, and a word of its own between; keeps what it read. */
const agent =
  'while read -r n; do echo "$n" >> inputs.log; i=0; while [ $i -lt "${n#*:}" ]; do i=$((i+1)); echo "$n/$i"; done; done; echo bye';

/** A conversation whose every input follows from all that was heard before: a fold over the lines, with a checksum for its state. */
class Conversation {
  readonly heard: string[] = [];
  readonly #turns: readonly number[];
  constructor(turns: readonly number[]) {
    this.#turns = turns;
  }

  /** Ends early, as if it were killed, after it has done so many things. */
  async run(handle: AgentHandle, steps = Number.POSITIVE_INFINITY): Promise<boolean> {
    let left = steps;
    const lines = handle.lines()[Symbol.asyncIterator]();
    try {
      for (const [at, count] of this.#turns.entries()) {
        if (left-- <= 0) return false;
        await handle.send(`t${at}s${this.heard.join("").length}:${count}\n`);
        for (let n = 0; n < count; n++) {
          if (left-- <= 0) return false;
          const { value } = await lines.next();
          this.heard.push((value as { text: string }).text);
        }
      }
      return true;
    } finally {
      void lines.return?.();
    }
  }
}

test(
  "however often its engine dies, a conversation is the same as without, and the agent hears each input once",
  { timeout: 120_000 },
  async () => {
    let counter = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(4), { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat(25), { minLength: 1, maxLength: 3 }),
        async (turns, cuts) => {
          const folder = mkdtempSync(join(tmpdir(), "stepfall-replay-"));
          const attempt = `replay-${process.pid}/step#${++counter}`;
          const keepers = keeperHost(join(folder, "home"));
          const spec = specIn(folder, attempt, agent, { stdin: "open" });
          const on = (epoch: number): AgentHost & AsyncDisposable => keepers.forAttempt({ attempt, epoch, takeUp: epoch > 1 });
          try {
            let epoch = 1;
            for (const cut of cuts) {
              await using host = on(epoch++);
              await new Conversation(turns).run(await host.spawn(spec), cut);
            }
            await using last = on(epoch);
            const handle = await last.spawn(spec);
            const told = new Conversation(turns);
            expect(await told.run(handle)).toBe(true);
            const expected = new Conversation(turns);
            const calm = scripted();
            await expected.run(calm.handle);
            expect(told.heard).toEqual(expected.heard);
            await until(() => turns.length === 0 || (existsSync(join(folder, "inputs.log")) && read(folder).length === turns.length));
            expect(read(folder)).toEqual(calm.inputs);
            expect(await handle.settle(AbortSignal.abort())).toMatchObject({ kind: "aborted" });
            const seqs = await seqsOf(handle);
            expect(seqs).toEqual(seqs.map((_, at) => at + 1));
          } finally {
            await keepers.forget(attempt);
            rmSync(folder, { recursive: true, force: true });
          }
          expect(withMarker(attempt)).toEqual([]);
        },
      ),
      { numRuns: 6 },
    );
  },
);

const read = (folder: string): string[] => readFileSync(join(folder, "inputs.log"), "utf8").trim().split("\n");

async function seqsOf(handle: AgentHandle): Promise<number[]> {
  const seqs: number[] = [];
  for await (const line of handle.lines()) seqs.push(line.seq);
  return seqs;
}

/** What the agent above says, without a process: the undisturbed run to compare with. */
function scripted(): { handle: AgentHandle; inputs: string[] } {
  const inputs: string[] = [];
  const waiting: string[] = [];
  const handle = {
    async *lines() {
      for (let seq = 1; ; seq++) yield { seq, at: 0, stream: "stdout", text: waiting.shift() };
    },
    async send(text: string) {
      const line = text.trim();
      inputs.push(line);
      for (let n = 1; n <= Number(line.split(":")[1]); n++) waiting.push(`${line}/${n}`);
    },
  } as unknown as AgentHandle;
  return { handle, inputs };
}
