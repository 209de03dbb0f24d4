import { apiError, sendJson } from "./answers.ts";
import type { OpenCall } from "./calls.ts";
import type { Passage } from "./model-call.ts";
import type { UpstreamAnswer } from "./upstream.ts";
import { isObject, type ApiError, type Json } from "./wire/wire.ts";

/** Most that is read of an upstream's error. */
const maxErrorBytes = 1 << 20;

/** Passes an upstream's error on, and settles the call. */
export async function passError(
  { res, wire, upstream, mask, isPassThrough }: Passage,
  call: OpenCall,
  answer: UpstreamAnswer,
): Promise<void> {
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
  const body = said.whole && !isOpenAi ? said.whole : wire.error(status, said.error);
  const headers = isPassThrough ? answer.headers() : retryAfter === undefined ? {} : { "retry-after": mask.text(retryAfter) };
  sendJson(res, status, body, headers);
  const end = answer.status >= 400 && answer.status < 500 ? ({ kind: "not-charged" } as const) : ({ kind: "upstream-error" } as const);
  // Words about the agent's own login may repeat a part of it, which no mask knows: the agent hears them, the record does not.
  const words = isPassThrough ? ownLoginWords(answer.status) : `: ${said.error.message}`;
  await call.end(end, `HTTP ${answer.status} from ${upstream}${words}`.slice(0, 2_000));
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
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/\s+/g, " ")
    .trim()
    .slice(0, 500);
  return { error: apiError("upstream_error", `${upstream} answered HTTP ${status}${start === "" ? "" : `: ${start}`}`) };
}
