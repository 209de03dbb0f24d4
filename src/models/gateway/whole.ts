import { sendJson } from "./answers.ts";
import type { OpenCall } from "./calls.ts";
import type { Passage, Tried } from "./one-try.ts";
import type { CallEnd } from "./settlement.ts";
import { translatedHeader } from "./translate/index.ts";
import { UpstreamFailure, type UpstreamAnswer } from "./upstream.ts";
import type { Json, PreparedCall } from "./wire/wire.ts";

/** Most that is read of an answer that is not streamed. */
const maxAnswerBytes = 64 << 20;

/** An answer in one piece. An event stream nobody asked for, or JSON where a stream was asked for, is passed as it is when it is JSON. */
export async function passWhole(
  { res, wire, mask, isPassThrough, watch, translated, upstream }: Passage,
  call: OpenCall,
  prepared: PreparedCall,
  answer: UpstreamAnswer,
): Promise<Tried> {
  let json: Json;
  try {
    json = JSON.parse(mask.text((await wholeOf(answer)).toString("utf8"))) as Json;
  } catch (cause) {
    if (cause instanceof UpstreamFailure) throw cause;
    throw new UpstreamFailure("lost", true, "sent something that is not JSON", { cause });
  }
  const meter = wire.meter();
  meter.take(json);
  const end = (outcome: "ok" | "failed"): CallEnd =>
    meter.reported
      ? { kind: "reported", tokens: meter.reported, outcome }
      : { kind: "passed", input: meter.input, outputTokens: meter.countOutput(), outcome };
  if (translated) {
    const { status, body } = translated.answer(json);
    const tell = (): void => sendJson(res, status, body, translatedHeader(translated));
    if (status !== 200) {
      const why = `The model endpoint ${upstream} answered with an answer that failed.`;
      await call.end(end("failed"), why);
      return { kind: "failed", why, tell };
    }
    watch.began();
    tell();
  } else {
    watch.began();
    sendJson(res, answer.status, wire.forAgent(json, { ...prepared, wantsUsage: true }) ?? json, isPassThrough ? answer.headers() : {});
  }
  await call.end(end("ok"));
  return { kind: "answered" };
}

export async function wholeOf(answer: UpstreamAnswer): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of answer.body) {
    size += part.length;
    if (size > maxAnswerBytes) throw new UpstreamFailure("lost", true, "sent an answer that is too large");
    parts.push(part);
  }
  return Buffer.concat(parts);
}
