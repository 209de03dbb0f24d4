import type { Protocol } from "../contract.ts";
import { objects, type Json } from "../wire/wire.ts";
import { collect, type AnswerReader, type AnswerWriter, type Piece, type Usage, type Wording } from "./answer.ts";
import type { AgentEvent, StreamTranslation, Translation, TranslateOptions, Translated } from "./contract.ts";
import { errorFor } from "./errors.ts";
import { ChatAnswerReader } from "./chat/read-answer.ts";
import { readChatRequest } from "./chat/read-request.ts";
import { chatAnswerWriter } from "./chat/write-answer.ts";
import { writeChatRequest } from "./chat/write-request.ts";
import { GeminiAnswerReader } from "./gemini/read-answer.ts";
import { readGeminiRequest } from "./gemini/read-request.ts";
import { geminiAnswerWriter } from "./gemini/write-answer.ts";
import { writeGeminiRequest } from "./gemini/write-request.ts";
import { MessagesAnswerReader } from "./messages/read-answer.ts";
import { readMessagesRequest } from "./messages/read-request.ts";
import { messagesAnswerWriter } from "./messages/write-answer.ts";
import { writeMessagesRequest } from "./messages/write-request.ts";
import { CannotSay, Lost, withTools, type Question } from "./question.ts";
import { ResponsesAnswerReader } from "./responses/read-answer.ts";
import { readResponsesRequest } from "./responses/read-request.ts";
import { responsesAnswerWriter } from "./responses/write-answer.ts";
import { writeResponsesRequest } from "./responses/write-request.ts";
import { toolsByName } from "./tool-names.ts";

/** What is known of one format: how it is read, and how it is worded. */
interface Tongue {
  readRequest(body: Json, options: TranslateOptions, lost: Lost): Question;
  writeRequest(question: Question, options: TranslateOptions, lost: Lost): Json;
  reader(options: TranslateOptions): AnswerReader;
  writer(wording: Wording): AnswerWriter;
}

export const tongues: Readonly<Record<Protocol, Tongue>> = {
  chat: {
    readRequest: readChatRequest,
    writeRequest: writeChatRequest,
    reader: ({ id }) => new ChatAnswerReader(id),
    writer: chatAnswerWriter,
  },
  responses: {
    readRequest: readResponsesRequest,
    writeRequest: writeResponsesRequest,
    reader: () => new ResponsesAnswerReader(),
    writer: responsesAnswerWriter,
  },
  messages: {
    readRequest: readMessagesRequest,
    writeRequest: writeMessagesRequest,
    reader: () => new MessagesAnswerReader(),
    writer: messagesAnswerWriter,
  },
  gemini: {
    readRequest: readGeminiRequest,
    writeRequest: writeGeminiRequest,
    reader: ({ id, seals }) => new GeminiAnswerReader(id, seals),
    writer: geminiAnswerWriter,
  },
};

/** From the agent's format to the upstream's; `undefined` where both are the same, and nothing is to be translated. */
export function translation(from: Protocol, to: Protocol): Translation | undefined {
  if (from === to) return undefined;
  return {
    request: (body, options) => translate(from, to, body, options),
    error: (status, upstream) => errorFor(from, status, upstream),
  };
}

function translate(from: Protocol, to: Protocol, body: Json, options: TranslateOptions): Translated {
  const [agent, upstream] = [tongues[from], tongues[to]];
  const lost = new Lost();
  try {
    const asked = agent.readRequest(body, options, lost);
    checkTools(body, asked);
    const question = withTools(asked);
    const written = upstream.writeRequest(question, options, lost);
    const wording: Wording = {
      id: options.id,
      at: options.at,
      model: question.model,
      tellsUsage: question.tellsUsage,
      toolOf: toolsByName(question.tools),
    };
    const writer = agent.writer(wording);
    return {
      ok: true,
      body: written,
      stream: question.stream,
      lost: lost.names,
      answers: {
        answer(whole) {
          const answer = collect(upstream.reader(options).whole(whole));
          return "failed" in answer
            ? { status: 502, body: errorFor(from, 502, { error: { message: answer.failed } }) }
            : { status: 200, body: writer.whole(answer) };
        },
        stream: () => translateStream(upstream.reader(options), writer),
      },
    };
  } catch (error) {
    if (error instanceof CannotSay) return { ok: false, message: error.message, param: error.param };
    throw error;
  }
}

/** A tool that its own provider runs, or that only its own model knows, may be missed where others are there; it must not be all that was asked. */
function checkTools(body: Json, { tools, choice }: Question): void {
  const asked = objects(body.tools).length > 0;
  if (asked && tools.length === 0)
    throw new CannotSay(
      "The tools of this request are of another provider: the one that serves this call has none of them. Switch them off in the agent.",
      "tools",
    );
  if (choice?.kind === "one" && !tools.some(({ name }) => name === choice.name))
    throw new CannotSay(`The tool ${choice.name} is not there at the provider that serves this call.`, "tool_choice");
}

function translateStream(reader: AnswerReader, writer: AnswerWriter): StreamTranslation {
  const stream = writer.stream();
  let isOpen = false;
  let isOver = false;
  let usage: Usage | undefined;
  let ended: Extract<Piece, { kind: "end" }> | undefined;

  const close = (): AgentEvent[] => {
    if (isOver || !ended) return [];
    isOver = true;
    return stream.close(ended.end, ended.stopSequence, usage);
  };
  const fail = (message: string): AgentEvent[] => {
    if (isOver) return [];
    isOver = true;
    return stream.fail(message);
  };
  const take = (piece: Piece): AgentEvent[] => {
    if (isOver) return [];
    switch (piece.kind) {
      case "usage":
        ({ usage } = piece);
        return [];
      case "end":
        ended = piece;
        return [];
      case "over":
        return close();
      case "failed":
        return fail(piece.message);
      default:
        return stream.piece(piece);
    }
  };
  return {
    push(event) {
      const pieces = reader.event(event);
      const first = pieces.find((piece) => piece.kind === "usage");
      const events = isOpen || isOver ? [] : stream.open(first?.usage);
      isOpen = true;
      try {
        for (const piece of pieces) events.push(...take(piece));
      } catch (error) {
        if (!(error instanceof CannotSay)) throw error;
        events.push(...fail(error.message));
      }
      return events;
    },
    end: close,
    fail,
  };
}
