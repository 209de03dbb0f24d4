import type { QueueDepth } from "../../control/index.ts";
import { duration, integer, plural } from "./format.ts";

/** `2 attempts running, 5 queued, the oldest for 4.0 s`. */
export function depthText({ queued, running, oldestWaitMs }: QueueDepth): string {
  const oldest = oldestWaitMs === undefined ? "" : `, ${queued === 1 ? "" : "the oldest "}for ${duration(oldestWaitMs)}`;
  return `${plural(running, "attempt")} running, ${integer(queued)} queued${oldest}`;
}
