import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Transcripts } from "./transcripts.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "stepfall-transcripts-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, from: number, to: number): void =>
  appendFileSync(
    join(folder, name),
    Array.from(
      { length: to - from },
      (_, i) => `${JSON.stringify({ seq: from + i, at: from + i, stream: "stdout", text: `é${from + i}` })}\n`,
    ).join(""),
  );
const texts = async (of: Transcripts): Promise<string[]> => (await of.next()).map((line) => line.text);

test("whoever looks at the end of what is there gets whole lines of it, then all that comes, each once", async () => {
  write("a-1.agent.ndjson", 0, 1000);
  write("b-1.agent.ndjson", 2000, 2003);
  for (const tail of [1, 40, 90, 91, 92, 5000]) {
    const of = new Transcripts(folder, "r", undefined, tail);
    const all = await texts(of);
    const of1 = all.filter((text) => Number(text.slice(1)) < 1000);
    expect(of1).toEqual(Array.from({ length: of1.length }, (_, i) => `é${1000 - of1.length + i}`));
    expect(of1.length).toBeLessThanOrEqual(tail / 30);
    write("c-1.agent.ndjson", 3000, 3300);
    expect(await texts(of)).toHaveLength(300);
    expect(await texts(of)).toEqual([]);
    rmSync(join(folder, "c-1.agent.ndjson"));
  }
  expect(await texts(new Transcripts(folder, "r"))).toHaveLength(1003);
});
