import { spawn } from "node:child_process";
import { StringDecoder } from "node:string_decoder";

/** What is kept of an output: its beginning and, mostly, its end. */
const HEAD_CHARS = 6000;
const TAIL_CHARS = 24_000;

export interface CommandRequest {
  command: string;
  cwd: string;
  env: NodeJS.ProcessEnv;
  timeoutMs: number;
}

class CutOutput {
  #head = "";
  #tail = "";
  #dropped = 0;
  add(text: string): void {
    const toHead = text.slice(0, HEAD_CHARS - this.#head.length);
    this.#head += toHead;
    this.#tail += text.slice(toHead.length);
    // Cut now and then, not with every chunk.
    if (this.#tail.length > 2 * TAIL_CHARS) this.#cut();
  }
  #cut(): void {
    const over = Math.max(0, this.#tail.length - TAIL_CHARS);
    this.#dropped += over;
    this.#tail = this.#tail.slice(over);
  }
  get text(): string {
    this.#cut();
    return this.#dropped > 0 ? `${this.#head}\n... (${this.#dropped} characters left out) ...\n${this.#tail}` : this.#head + this.#tail;
  }
}

/**
 * `sh -c` in a group of its own, so that a timeout ends all of it. What it leaves running in the background stays until
 * the attempt ends: a server under test is used by the next command.
 */
export async function runCommand({ command, cwd, env, timeoutMs }: CommandRequest): Promise<string> {
  const child = spawn("/bin/sh", ["-c", command], { cwd, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const output = new CutOutput();
  for (const stream of [child.stdout, child.stderr]) {
    const decoder = new StringDecoder("utf8");
    stream.on("data", (chunk: Buffer) => output.add(decoder.write(chunk)));
    stream.on("end", () => output.add(decoder.end()));
  }
  let timedOut = false;
  const end = (signal: NodeJS.Signals) => {
    try {
      if (child.pid) process.kill(-child.pid, signal);
    } catch {
      // gone
    }
  };
  const terminate = setTimeout(() => {
    timedOut = true;
    end("SIGTERM");
  }, timeoutMs);
  const kill = setTimeout(() => end("SIGKILL"), timeoutMs + 1000);
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const status = await new Promise<string>((resolve) => {
    child.once("error", (error) => resolve(`could not be started: ${error.message}`));
    child.once("exit", (code, signal) => resolve(signal ? `ended by ${signal}` : `exit ${code}`));
  });
  clearTimeout(terminate);
  clearTimeout(kill);
  if (timedOut) end("SIGKILL");
  // A background child may hold the pipes open: what has been written by now is enough.
  await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 200))]);
  child.stdout.destroy();
  child.stderr.destroy();
  const heading = timedOut ? `stopped after ${timeoutMs / 1000} s` : status;
  const text = output.text.trimEnd();
  return text === "" ? `[${heading}, no output]` : `[${heading}]\n${text}`;
}
