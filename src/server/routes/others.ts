import { z } from "@hono/zod-openapi";
import { Count } from "../schemas/common.ts";
import type { Api } from "./define.ts";

/** What a client may ask of the stream; it is served beside the API, since it never ends. */
const StreamQuery = z.object({ after: Count(Number.MAX_SAFE_INTEGER).optional() });

/** Routes that the front door answers itself. */
export function describeOthers(api: Api): void {
  api.openAPIRegistry.registerComponent("securitySchemes", "token", { type: "http", scheme: "bearer" });
  api.openAPIRegistry.registerComponent("securitySchemes", "cookie", { type: "apiKey", in: "cookie", name: "stepfall-PORT" });
  api.openAPIRegistry.registerPath({
    method: "get",
    path: "/stream",
    summary: "Everything as it happens (server-sent events)",
    description:
      "First `hello` { globalSeq, version }. Then `journal` with a Recorded, its id the event's globalSeq; `live` with a Liveness, without an id. Resume with Last-Event-ID or ?after=GLOBALSEQ: no gap, no double. Without either it begins now. A comment line every 15 seconds. For everybody who is logged in.",
    security: [{ token: [] }, { cookie: [] }],
    request: { query: StreamQuery, headers: z.object({ "last-event-id": z.string().optional() }) },
    responses: { 200: { description: "A stream", content: { "text/event-stream": { schema: z.string() } } } },
  });
  api.openAPIRegistry.registerPath({
    method: "post",
    path: "/logout",
    summary: "End the login of this browser",
    security: [{ cookie: [] }],
    responses: { 204: { description: "Done" } },
  });
}
