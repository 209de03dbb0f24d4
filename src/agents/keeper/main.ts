/** A keeper's process: its order on stdin, one line on stdout when the agent is started, then it is spoken to by its socket. */
import { keep } from "./keep.ts";
import { encode, type Order, type Started } from "./protocol.ts";

/** Half an order, from an engine that died while it wrote it, is none. */
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
  const told = (message: Started): void => void process.stdout.write(encode(message));
  await keep(order, { now: () => Date.now() }, told);
}
process.exit(0);
