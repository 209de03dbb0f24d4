import { parentPort, workerData } from "node:worker_threads";
import { asRefusal, openBatches } from "./batch.ts";
import { openDatabase } from "./database.ts";
import { asStoreError } from "./failure.ts";
import { openPerformer, type Performer } from "./perform.ts";
import type { FromWorker, ToWorker, WorkerSettings } from "./wire.ts";
import type { DatabaseSync } from "node:sqlite";

/** Owns the connection, in the worker thread: an fsync here stalls nobody's stream. */
export function serve(): void {
  const { file, busyTimeoutMs, pollMs } = workerData as WorkerSettings;
  const port = parentPort!;
  const say = (message: FromWorker): void => port.postMessage(message);

  let db: DatabaseSync;
  let performer: Performer;
  try {
    db = openDatabase(file, busyTimeoutMs);
    performer = openPerformer(db);
  } catch (error) {
    say({ kind: "refused", refusal: asRefusal(asStoreError(error, file)) });
    port.close();
    return;
  }
  const runBatch = openBatches(db, performer, file);
  const watch = openWatch(db, performer, file, pollMs, say);

  port.on("message", (message: ToWorker) => {
    switch (message.kind) {
      case "batch":
        say({ kind: "outcomes", outcomes: runBatch(message.requests) });
        return;
      case "watch":
        watch(message.on);
        return;
      case "close":
        watch(false);
        db.close();
        say({ kind: "closed" });
        port.close();
        return;
      default:
        message satisfies never;
    }
  });
  say({ kind: "opened" });
}

/** Reports appends of other processes while it is on. Cheap while there are none: one pragma that reads a counter. */
function openWatch(db: DatabaseSync, performer: Performer, file: string, pollMs: number, say: (message: FromWorker) => void) {
  const dataVersion = db.prepare("PRAGMA data_version");
  const current = (): unknown => dataVersion.get()?.["data_version"];
  let timer: NodeJS.Timeout | undefined;
  let seenVersion: unknown;
  let seenSeq = 0;

  const look = (): void => {
    try {
      const version = current();
      if (version === seenVersion) return;
      seenVersion = version;
      const streams = performer.journal.streamsSince(seenSeq);
      seenSeq = performer.journal.lastSeq();
      if (streams.length > 0) say({ kind: "appended", streams });
    } catch (error) {
      say({ kind: "blind", refusal: asRefusal(asStoreError(error, file)) });
    }
  };

  return (on: boolean): void => {
    clearInterval(timer);
    timer = undefined;
    if (!on) return;
    // The followers read after this, so what is here already is nothing new to them.
    seenVersion = current();
    seenSeq = performer.journal.lastSeq();
    timer = setInterval(look, pollMs);
  };
}
