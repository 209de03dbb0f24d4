/** The gateway's program: the holder, unless the holder started it as its worker. Each loads only what it needs. */
import { workerFlag } from "./arguments.ts";

if (process.argv.includes(workerFlag)) await import("./worker.ts");
else await import("./holder.ts");
