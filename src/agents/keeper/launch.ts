import { AgentError } from "../errors.ts";
import { readLog } from "./folder.ts";
import { MessageLines, type Order, type Started } from "./protocol.ts";
import type { Candidate, Spares } from "./spares.ts";

/** A keeper is up in some 100 ms; on a machine where this is not enough, nothing else works either. */
const START_MS = 60_000;

/** Gives a keeper its order; resolves when its agent is on record and runs, or could not be started and that is on disk. */
export async function launch(order: Order, spares: Spares, mask: (text: string) => string): Promise<void> {
  // A spare may have been ended meanwhile, by whoever ends processes: then it has seen no order, and the next one gets it.
  for (;;) {
    const { child, isSpare } = spares.take();
    const said = await ordered(child, order, mask);
    // From here on it is on its own, and does not keep this process from ending.
    child.stdout.destroy();
    child.unref();
    if (said === "gone" && isSpare) continue;
    if (said === "gone") throw failure(mask(`the keeper of ${order.attempt} ended before it was ready${afterWord(order.folder)}`));
    if (said === "killed") {
      const message = mask(`the keeper of ${order.attempt} was killed before it was ready${afterWord(order.folder)}`);
      throw new AgentError("AGENT_KEEPER_LOST", message, "Nothing to do: the attempt is begun again.");
    }
    if (said.kind === "failed") throw new AgentError(said.trouble.code, said.trouble.message, said.trouble.hint);
    return;
  }
}

const failure = (message: string): AgentError =>
  new AgentError("AGENT_KEEPER_START", message, "Can Node start here, and is there memory left?");

function afterWord(folder: string): string {
  const said = readLog(folder);
  return said === "" ? "" : `: ${said}`;
}

/** `gone`: it ended without having taken the order. `killed`: it had, and may have started the agent. */
async function ordered(child: Candidate["child"], order: Order, mask: (text: string) => string): Promise<Started | "gone" | "killed"> {
  const { stdin, stdout } = child;
  const said = Promise.withResolvers<Started | "gone" | "killed">();
  const failed = (message: string): void => said.resolve({ kind: "failed", trouble: { ...troubleOf(failure(mask(message))) } });
  let hasTaken = false;
  const lines = new MessageLines<Started | { kind: "taken" }>();
  stdout.on("data", (chunk: Buffer) => {
    for (const message of lines.push(chunk)) {
      if (message.kind === "taken") hasTaken = true;
      else said.resolve(message);
    }
  });
  child.once("error", (error) => failed(`the keeper of ${order.attempt} could not be started: ${error.message}`));
  child.once("close", (code, signal) => {
    if (!hasTaken) said.resolve("gone");
    else if (signal !== null) said.resolve("killed");
    failed(`the keeper of ${order.attempt} ended with ${signal ?? code} before it was ready${afterWord(order.folder)}`);
  });
  stdin.on("error", () => {}); // its end tells
  stdin.end(JSON.stringify(order));
  if (child.exitCode !== null || child.signalCode !== null) said.resolve("gone");
  const timer = setTimeout(() => {
    child.kill("SIGKILL");
    failed(`the keeper of ${order.attempt} was not ready after ${START_MS / 1000} s`);
  }, START_MS);
  try {
    return await said.promise;
  } finally {
    clearTimeout(timer);
  }
}

const troubleOf = ({ code, message, hint }: AgentError) => ({ code, message, hint });
