/** A keeper's process: its order on stdin, a line on stdout when the agent is started, then it is spoken to by its socket. */
import { appendFileSync } from "node:fs";
import { highestEpoch, logFile } from "./folder.ts";
import { keep, superseded } from "./keep.ts";
import { encode, type Order, type Started } from "./protocol.ts";

/** Half an order, from an engine that died while it wrote it, is none; nor is the end of one that needed no further keeper. */
async function readOrder(): Promise<Order | undefined> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8")) as Order;
  } catch {
    return undefined;
  }
}

/** The engine may be dead already: that is no reason to end. */
process.stdout.on("error", () => {});
// oxlint-disable-next-line unicorn/prefer-event-target -- signals come to the process
process.on("SIGHUP", () => {});

const order = await readOrder();
if (order) {
  process.title = `stepfall keeper of ${order.attempt}`;
  // Fails when the folder is gone by now: then nothing is wanted of it any more.
  process.chdir(order.folder);
  process.on("uncaughtException", (error) => {
    appendFileSync(logFile("."), `${error.stack ?? String(error)}\n`, { mode: 0o600 });
    process.exit(1);
  });
  process.stdout.write(encode({ kind: "taken" }));
  const told = (message: Started): void => void process.stdout.write(encode(message));
  // The folder may be a later engine's by now, of the same name: it raised the epoch before it made it.
  if (highestEpoch("..") > order.epoch) told({ kind: "failed", trouble: superseded(order.attempt) });
  else await keep(order, { now: () => Date.now() }, told);
}
process.exit(0);
