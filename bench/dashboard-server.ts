import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const launcher = fileURLToPath(new URL("../bin/stepfall.js", import.meta.url));

/** `stepfall up` as a process of its own, that can be killed and started again where it was. */
export class Server {
  readonly #home: string;
  #child: ChildProcess | undefined;
  #port = 0;
  url = "";
  /** Logs a browser in, once. */
  link = "";

  constructor(home: string) {
    this.#home = home;
  }

  async start(): Promise<void> {
    const child = spawn(process.execPath, [launcher, "--home", this.#home, "up", "--json", "--port", String(this.#port)], {
      cwd: this.#home,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    for await (const line of createInterface(child.stdout)) {
      const told = JSON.parse(line) as { url?: string; link?: string };
      if (told.url === undefined) continue;
      this.url = told.url;
      this.link = told.link ?? "";
      this.#port = Number(new URL(told.url).port);
      return;
    }
    throw new Error(`the server ended before it said where it is:\n${stderr}`);
  }

  /** As a power cut would. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  }
}

/** Reads a server's stream as a client that goes on after the last event it had, and notes each event's `globalSeq`. */
export async function readStream(url: string, cookie: string, after: number, seen: number[], signal: AbortSignal): Promise<void> {
  let last = after;
  while (!signal.aborted) {
    try {
      const response = await fetch(`${url}/api/v1/stream?after=${last}`, { headers: { cookie, accept: "text/event-stream" }, signal });
      if (!response.ok || !response.body) throw new Error(`the stream answers ${response.status}`);
      let text = "";
      for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
        text += piece;
        for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
          const block = text.slice(0, end);
          text = text.slice(end + 2);
          if (!/^event: ?journal$/m.test(block)) continue;
          last = Number(/^id: ?(\d+)$/m.exec(block)?.[1] ?? Number.NaN);
          seen.push(last);
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Error && error.message.startsWith("the stream answers 4")) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
