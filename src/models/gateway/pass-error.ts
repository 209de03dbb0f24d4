import { apiError, sendJson } from "./answers.ts";
import type { OpenCall } from "./calls.ts";
import { limitIn } from "./failover/limit-told.ts";
import type { Passage, Tried } from "./one-try.ts";
import type { UpstreamAnswer } from "./upstream.ts";
import { isObject, type ApiError, type Json } from "./wire/wire.ts";

/** Most that is read of an upstream's error. */
const maxErrorBytes = 1 << 20;

/** Reads an upstream's error and settles the call. One of the request's own is passed on; the agent hears of others when nobody else answers. */
export async function passError(
  { res, wire, upstream, mask, isPassThrough, clock, translated }: Passage,
  call: OpenCall,
  answer: UpstreamAnswer,
): Promise<Tried> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of answer.body) {
      parts.push(part);
      size += part.length;
      if (size > maxErrorBytes) break;
    }
  } catch {
    // The status says enough; what has come of the message is passed on.
  }
  const said = errorIn(mask.text(Buffer.concat(parts).toString("utf8")), answer.status, upstream);
  const retryAfter = answer.header("retry-after");
  // A redirect or another odd status would make a client do something else than report it.
  const status = answer.status >= 400 ? answer.status : 502;
  // OpenAI's clients expect all fields of an error; the other formats are passed as they are.
  const isOpenAi = wire.protocol === "chat" || wire.protocol === "responses";
  const asItCame = said.whole && !isOpenAi ? said.whole : wire.error(status, said.error);
  const body = translated ? translated.error(status, said.whole ?? { error: said.error }) : asItCame;
  const headers = isPassThrough ? answer.headers() : retryAfter === undefined ? {} : { "retry-after": mask.text(retryAfter) };
  const tell = (): void => sendJson(res, status, body, headers);
  const end = answer.status >= 400 && answer.status < 500 ? ({ kind: "not-charged" } as const) : ({ kind: "upstream-error" } as const);
  // Words about the agent's own login may repeat a part of it, which no mask knows: the agent hears them, the record does not.
  const words = isPassThrough ? ownLoginWords(answer.status) : `: ${said.error.message}`;
  const why = `HTTP ${answer.status} from ${upstream}${words}`.slice(0, 2_000);
  const told = { status: answer.status, header: (name: string) => answer.header(name), json: said.whole, message: said.error.message };
  const limit = limitIn(told, clock.now());
  const isProviders = status >= 500 || status === 408;
  if (!limit && !isProviders) tell();
  await call.end(end, why);
  if (limit) return { kind: "limited", limit, why, tell };
  return isProviders ? { kind: "failed", why, tell } : { kind: "answered" };
}

const ownLoginWords = (status: number): string =>
  status === 401 || status === 403 ? ": it refuses the agent's own login" : ", asked with the agent's own login";

/** What an error says; `whole`: as it came, where it is JSON with an error in it. */
function errorIn(text: string, status: number, upstream: string): { error: ApiError; whole?: Json } {
  try {
    const json: unknown = JSON.parse(text);
    if (isObject(json)) {
      const { error } = json;
      if (typeof error === "string") return { error: apiError("upstream_error", error) };
      if (isObject(error) && typeof error.message === "string")
        return { error: { ...apiError("upstream_error", ""), ...(error as { message: string }) }, whole: json };
    }
  } catch {
    // Not JSON: an HTML page of a proxy, most likely.
  }
  const start = text
    // Ends at the next bracket, too: a page of nothing but `<` is else read once for each of them.
    .replaceAll(/<[^<>]*>/g, " ")
    .replaceAll(/\s+/g, " ")
    .trim()
    .slice(0, 500);
  return { error: apiError("upstream_error", `${upstream} answered HTTP ${status}${start === "" ? "" : `: ${start}`}`) };
}
