import fc from "fast-check";
import { expect, test } from "vitest";
import { dataOf, eventsOf } from "./sse.ts";

test("however the network cuts a stream, the same events come out, byte for byte", async () => {
  const event = fc.oneof(
    fc.string({ unit: "grapheme" }).map((s) => `data: ${JSON.stringify({ s })}\n\n`),
    fc.constant(": keep-alive\n\n"),
    fc.constant("event: x\r\ndata: 1\r\n\r\n"),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(event), fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), async (events, sizes) => {
      const bytes = Buffer.from(events.join(""), "utf8");
      async function* cut(): AsyncGenerator<Uint8Array> {
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = sizes[i % sizes.length] ?? 1;
          yield bytes.subarray(at, at + size);
          at += size;
        }
      }
      const out: string[] = [];
      for await (const some of eventsOf(cut())) out.push(...some);
      expect(out).toEqual(events);
    }),
  );
});

test("data is read with and without its space, over several lines, and not from comments", () => {
  expect(dataOf("data: a\n\n")).toBe("a");
  expect(dataOf("data:a\r\ndata: b\r\n\r\n")).toBe("a\nb");
  expect(dataOf(": comment\n\n")).toBeUndefined();
});
