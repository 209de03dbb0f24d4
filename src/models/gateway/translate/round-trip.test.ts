import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Protocol } from "../contract.ts";
import { collect, type AnswerReader, type Answer, type Piece, type Said, type StreamEvent } from "./answer.ts";
import { isObject, type Json } from "../wire/wire.ts";
import { translation, type TranslateOptions } from "./index.ts";
import { Lost, Turns, type Content, type Part, type Question, type Tool } from "./question.ts";
import { tongues } from "./translation.ts";

const protocols: readonly Protocol[] = ["chat", "responses", "messages", "gemini"];
const pairs = protocols.flatMap((from) => protocols.filter((to) => to !== from).map((to) => [from, to] as const));
const runs = { numRuns: 25 };

const optionsFor = (question: Pick<Question, "stream">): TranslateOptions => ({
  model: "m",
  maxOutputTokens: 5_000,
  id: "id1",
  at: 1_700_000_000_000,
  path: { model: "m", stream: question.stream },
});

const word = fc.stringMatching(/^[a-z]{1,8}$/);
const text = fc.oneof(
  word,
  fc.string({ minLength: 1, maxLength: 30, unit: "grapheme" }).filter((t) => t.trim() !== ""),
);
const args = fc
  .dictionary(word, fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null), fc.array(word)), { maxKeys: 3 })
  .map((object) =>
    // A dictionary has no prototype; what is parsed has one.
    JSON.stringify(object),
  );
const image = fc.constantFrom<Content>(
  { kind: "image", media: { kind: "base64", mediaType: "image/png", data: "iVBORw0KGgo=" } },
  { kind: "image", media: { kind: "base64", mediaType: "image/jpeg", data: "/9j/4AA=" } },
);
const tool = fc.record({ name: word, description: fc.option(text, { nil: undefined }) }).map(({ name, description }): Tool => ({
  name,
  description,
  schema: { type: "object", properties: { x: { type: "string" } }, required: ["x"] },
}));

/** A conversation as agents have it: a task, then calls side by side with their results, then words. */
const exchange = fc.record({
  said: fc.option(text, { nil: undefined }),
  calls: fc.array(fc.record({ name: word, args, result: text }), { maxLength: 3 }),
  next: text,
  image: fc.option(image, { nil: undefined }),
});
const question = fc
  .record({
    system: fc.option(text, { nil: undefined }),
    first: text,
    exchanges: fc.array(exchange, { maxLength: 4 }),
    tools: fc.uniqueArray(tool, { maxLength: 3, selector: ({ name }) => name }),
    temperature: fc.constantFrom(undefined, 0, 0.5, 1),
    maxOutput: fc.integer({ min: 1, max: 4_000 }),
    stream: fc.boolean(),
    choice: fc.constantFrom("auto" as const, "none" as const, "required" as const, "one" as const, undefined),
    shape: fc.boolean(),
  })
  .map(({ system, first, exchanges, tools, temperature, maxOutput, stream, choice, shape }): Question => {
    const turns = new Turns();
    if (system !== undefined) turns.add("system", { kind: "text", text: system });
    turns.add("user", { kind: "text", text: first });
    let n = 0;
    for (const { said, calls, next, image: shown } of exchanges) {
      const made = calls.map((call) => ({ ...call, id: `call_${n++}` }));
      if (said !== undefined) turns.add("assistant", { kind: "text", text: said });
      turns.add("assistant", ...made.map(({ id, name, args: of }): Part => ({ kind: "call", id, name, args: of })));
      if (said === undefined && calls.length === 0) turns.add("assistant", { kind: "text", text: "ok" });
      turns.add(
        "user",
        ...made.map(({ id, name, result }): Part => ({
          kind: "result",
          id,
          name,
          content: [{ kind: "text", text: result }],
          isError: false,
        })),
        { kind: "text", text: next },
        ...(shown ? [shown] : []),
      );
    }
    const one = tools[0];
    return {
      turns: turns.list,
      tools,
      choice:
        tools.length === 0 || choice === undefined
          ? undefined
          : choice === "one" && one
            ? { kind: "one", name: one.name }
            : choice === "one"
              ? undefined
              : { kind: choice },
      stop: [],
      temperature,
      maxOutput,
      stream,
      tellsUsage: true,
      model: "m",
      shape: shape ? { kind: "schema", name: "answer", schema: { type: "object", properties: { y: { type: "number" } } } } : undefined,
    };
  });

describe.each(pairs)("%s to %s and back", (from, to) => {
  test("a conversation keeps its messages, its tools, their calls and results, and their order", () => {
    fc.assert(
      fc.property(question, (asked) => {
        const options = optionsFor(asked);
        const body = tongues[from].writeRequest(asked, options, new Lost());
        const there = translation(from, to)?.request(body, options);
        if (!there?.ok) throw new TypeError(there?.message);
        const back = translation(to, from)?.request(there.body, options);
        if (!back?.ok) throw new TypeError(back?.message);
        expect(back.body).toEqual(body);
      }),
      runs,
    );
  });
});

const usage = fc.record({ cached: fc.nat(100), rest: fc.nat(1_000), output: fc.nat(500) }).map(({ cached, rest, output }) => ({
  input: cached + rest,
  cached,
  cacheWrite: 0,
  output,
  thinking: 0,
}));
/** As models answer: thinking, words, calls. Chat has one field for each, and so no other order. */
const answer = fc
  .record({
    thinking: fc.option(text, { nil: undefined }),
    words: fc.option(text, { nil: undefined }),
    calls: fc.array(fc.record({ kind: fc.constant("call" as const), name: word, args }), { maxLength: 3 }),
    usage,
    isCut: fc.boolean(),
  })
  .map(({ thinking, words, calls, usage: figures, isCut }): Answer => {
    const said: Said[] = [
      ...(thinking === undefined ? [] : [{ kind: "thinking" as const, text: thinking }]),
      ...(words === undefined ? [] : [{ kind: "text" as const, text: words }]),
      ...calls.map((call, i) => ({ ...call, id: `call_${i}` })),
    ];
    return { said, usage: figures, end: isCut ? "length" : calls.length > 0 ? "calls" : "stop" };
  });

/** The answer cut into pieces of these lengths, each tool call after the other. */
function piecesOf(of: Answer, lengths: readonly number[]): Piece[] {
  let turn = 0;
  const cut = (whole: string): string[] => {
    const parts: string[] = [];
    for (let at = 0; at < whole.length;) {
      const size = lengths[turn++ % lengths.length] ?? 1;
      parts.push(whole.slice(at, at + size));
      at += size;
    }
    return parts;
  };
  let calls = 0;
  return of.said.flatMap((part): Piece[] => {
    if (part.kind !== "call") return cut(part.text).map((piece) => ({ kind: part.kind, text: piece }));
    const at = calls++;
    return [
      { kind: "call", at, id: part.id, name: part.name },
      ...cut(part.args).map((piece): Piece => ({ kind: "args", at, text: piece })),
      { kind: "call-end", at },
    ];
  });
}

const wording = { id: "up1", at: 1_700_000_000_000, model: "up", tellsUsage: true, toolOf: (name: string) => ({ name, isCustom: false }) };

const eventsOf = (protocol: Protocol, of: Answer, lengths: readonly number[]): StreamEvent[] => {
  const stream = tongues[protocol].writer(wording).stream();
  const pieces = piecesOf(of, lengths).flatMap((piece) => stream.piece(piece as Parameters<typeof stream.piece>[0]));
  return [...stream.open(undefined), ...pieces, ...stream.close(of.end, undefined, of.usage)];
};

const readAll = (reader: AnswerReader, events: readonly StreamEvent[]): Answer | { failed: string } =>
  collect(events.flatMap(({ data }) => (isObject(data) ? reader.event(data as Json) : [])));

const request: Record<Protocol, Json> = {
  chat: { model: "m", stream: true, stream_options: { include_usage: true }, messages: [{ role: "user", content: "hi" }] },
  responses: { model: "m", stream: true, input: "hi" },
  messages: { model: "m", stream: true, max_tokens: 9, messages: [{ role: "user", content: "hi" }] },
  gemini: { contents: [{ role: "user", parts: [{ text: "hi" }] }] },
};

describe.each(pairs)("an agent that speaks %s, at an upstream that speaks %s", (agent, upstream) => {
  const options = optionsFor({ stream: true });
  const answers = () => {
    const translated = translation(agent, upstream)?.request(request[agent], options);
    if (!translated?.ok) throw new TypeError(translated?.message);
    return translated.answers;
  };

  test("a stream, however it is cut, comes to the same answer as the whole, and to what the upstream said", () => {
    fc.assert(
      fc.property(answer, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }), (of, lengths) => {
        const whole = answers().answer(tongues[upstream].writer(wording).whole(of));
        expect(whole.status).toBe(200);
        const stream = answers().stream();
        const events = eventsOf(upstream, of, lengths).flatMap(({ data }) => (data === "[DONE]" ? stream.end() : stream.push(data)));
        events.push(...stream.end());
        const heard = readAll(tongues[agent].reader(options), events);
        expect(heard).toEqual(collect(tongues[agent].reader(options).whole(whole.body)));
        expect(heard).toEqual(of);
      }),
      runs,
    );
  });
});
