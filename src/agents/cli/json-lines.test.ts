import fc from "fast-check";
import { expect, test } from "vitest";
import { LineSplitter } from "../host/lines.ts";
import { JsonLines, type ReadLine } from "./json-lines.ts";

/** As a host hands it over: in lines, long ones in pieces. */
function read(output: string): ReadLine[] {
  const splitter = new LineSplitter((text) => text);
  const lines = [...splitter.push(Buffer.from(output)), ...splitter.end()];
  const json = new JsonLines();
  return [...lines.flatMap((line) => json.push(line)), ...json.end()];
}

const events = (output: string): object[] => read(output).flatMap((line) => (line.kind === "event" ? [line.event] : []));

test("an event that is longer than a piece is one event", () => {
  const big = { type: "user", text: 'a "file"\n'.repeat(60_000) };
  expect(events(`{"type":"a"}\n${JSON.stringify(big)}\n{"type":"b"}\n`)).toEqual([{ type: "a" }, big, { type: "b" }]);
});

test("a malformed line is noise, and what comes after it is found", () => {
  expect(read('{"type":"a"}\n{"type":"b\nWARNING: x\n[1]\n{"type":"c"}')).toEqual([
    { kind: "event", event: { type: "a" } },
    { kind: "noise", line: '{"type":"b' },
    { kind: "noise", line: "WARNING: x" },
    { kind: "noise", line: "[1]" },
    { kind: "event", event: { type: "c" } },
  ]);
});

test("a long line that was cut off keeps no later event from being found", () => {
  const cut = JSON.stringify({ text: "x".repeat(200_000) }).slice(0, -50);
  expect(events(`${cut}\n{"type":"result"}\n`)).toEqual([{ type: "result" }]);
});

test("whatever stands between them, all events are found in order", () => {
  const event = fc.record({
    type: fc.string(),
    text: fc.oneof(
      fc.string(),
      fc.nat(120_000).map((size) => "{é}".repeat(size / 3)),
    ),
  });
  const noise = fc.constantFrom("", "npm warn x", "{", "{]", "null", "}");
  const lines = fc.array(fc.tuple(event, noise), { maxLength: 6 });
  fc.assert(
    fc.property(lines, (pairs) => {
      const output = pairs.map(([one, between]) => `${between}\n${JSON.stringify(one)}\n`).join("");
      expect(events(output)).toEqual(pairs.map(([one]) => one));
    }),
    { numRuns: 40 },
  );
});
