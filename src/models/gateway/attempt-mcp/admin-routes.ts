import type { ServerResponse } from "node:http";
import { z } from "zod";
import { sendJson } from "../answers.ts";
import type { PendingRequests } from "./pending-requests.ts";

/** An engine is told that there is nothing after this time, so that both see that the other lives. */
const WAIT_MS = 20_000;

const NextRequest = z.object({ client: z.string(), known: z.array(z.string()) });
const ReplyRequest = z.object({
  id: z.string(),
  reply: z.object({ text: z.string(), isError: z.literal(true).optional() }),
});

/** An engine asks for what agents have asked of its runs. */
export async function nextRequests(json: unknown, res: ServerResponse, requests: PendingRequests): Promise<void> {
  const { client, known } = NextRequest.parse(json);
  const gone = new AbortController();
  res.once("close", () => gone.abort());
  const found = await requests.next(client, new Set(known), AbortSignal.any([AbortSignal.timeout(WAIT_MS), gone.signal]));
  sendJson(res, 200, { requests: found });
}

export function replyToRequest(json: unknown, res: ServerResponse, requests: PendingRequests): void {
  const { id, reply } = ReplyRequest.parse(json);
  const { text, isError } = reply;
  sendJson(res, 200, { isHeard: requests.reply(id, { text, ...(isError ? { isError } : {}) }) });
}
