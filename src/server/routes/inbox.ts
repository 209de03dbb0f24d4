import { Answer } from "../schemas/requests.ts";
import { Answered, Inbox } from "../schemas/runs.ts";
import { serve, type Api, type Served } from "./define.ts";

export function serveInbox(api: Api, { control }: Served): void {
  serve(
    api,
    {
      method: "get",
      path: "/inbox",
      role: "viewer",
      summary: "What waits for people: what unblocks most first, then the oldest",
      answers: Inbox,
    },
    async () => ({ items: await control.inbox() }),
  );
  serve(
    api,
    {
      method: "post",
      path: "/inbox/answer",
      role: "approver",
      summary: "Answer an item: by its whole name, or by a part that only one has",
      body: Answer,
      answers: Answered,
    },
    ({ body: { item, ...said }, caller }) => control.answer(caller.actor, item, said),
  );
}
