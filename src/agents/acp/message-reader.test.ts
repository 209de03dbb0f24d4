import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LineSplitter } from "../host/lines.ts";
import { MessageReader, type Read } from "./message-reader.ts";

/** As the host hands an agent's output on: in chunks of any size, lines over 64 KiB in pieces. */
function read(output: string, chunkBytes: number): Read[] {
  const splitter = new LineSplitter((text) => text);
  const reader = new MessageReader();
  const bytes = Buffer.from(output);
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) lines.push(...splitter.push(bytes.subarray(at, at + chunkBytes)));
  lines.push(...splitter.end());
  return lines.flatMap((line) => reader.push(line));
}
const messagesOf = (reads: readonly Read[]) => reads.flatMap((r) => (r.kind === "message" ? [r.message] : []));

const words = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: "binary" }) },
  { weight: 1, arbitrary: fc.constantFrom("{", "}", '{"a":1}\n', "é".repeat(9)) },
);
const message = fc.record({ method: fc.string(), text: words, times: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 20_000 })) });

describe("messages out of an agent's output", () => {
  test("are the same whatever their length and however they are cut", () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), fc.integer({ min: 1000, max: 70_000 }), (drawn, chunkBytes) => {
        const sent = drawn.map(({ method, text, times }) => ({
          method,
          text: text.repeat(Math.min(times, Math.ceil(300_000 / (text.length + 1)))),
        }));
        const output = sent.map((one) => `${JSON.stringify(one)}\n`).join("");
        expect(messagesOf(read(output, chunkBytes))).toEqual(JSON.parse(JSON.stringify(sent)));
      }),
      { numRuns: 60 },
    );
  });

  test("are found among lines that are none, and those are told", () => {
    const reads = read('hello\n\n{"a":1}\n{"b":\n[1]\n"text"\n{"c":2}\r\n', 5);
    expect(messagesOf(reads)).toEqual([{ a: 1 }, { c: 2 }]);
    expect(reads.filter((r) => r.kind === "malformed")).toHaveLength(4);
  });

  test("go on after one that was cut off in the middle of a long line", () => {
    const reads = read(`{"cut":"${"x".repeat(200_000)}\n{"a":1}\n`, 65_536);
    expect(messagesOf(reads)).toEqual([{ a: 1 }]);
  });
});
