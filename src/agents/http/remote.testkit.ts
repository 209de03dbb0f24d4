import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import type { AgentStep } from "../../domain/index.ts";
import { stepBase } from "../conformance.ts";
import type { ExecutionContext } from "../contract.ts";
import { createLocalHost } from "../host/local.ts";
import { createHttpExecutor, type HttpExecutorOptions } from "./executor.ts";

export const TOKEN = "a-token-of-this-test-only";

export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "stepfall-http-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A server on 127.0.0.1 that is gone when the test is. */
export async function listening(listener: RequestListener): Promise<{ url: string; die(): void }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const die = () => {
    server.closeAllConnections();
    server.close();
  };
  onTestFinished(die);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, die };
}

export interface Sent {
  files?: Record<string, string | Buffer>;
  /** Symlinks, by path. */
  links?: Record<string, string>;
  step?: Partial<AgentStep>;
  context?: Partial<ExecutionContext>;
  prompt?: string;
}

/** One attempt at a remote agent, in a workspace with these files. */
export async function attempt(options: HttpExecutorOptions, { files = {}, links = {}, step, context, prompt = "add sum" }: Sent = {}) {
  const folder = tempFolder();
  const tree = join(folder, "tree");
  mkdirSync(tree);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    writeFileSync(join(tree, path), content);
  }
  for (const [path, target] of Object.entries(links)) symlinkSync(target, join(tree, path));
  const progress: string[] = [];
  const whole: AgentStep = { ...stepBase, kind: "agent", prompt, agent: { capability: [] }, ...step };
  const result = await createHttpExecutor({ token: TOKEN, ...options }).execute(
    { attempt: "run/sum#1", runId: "run", step: whole, prompt, feedback: [{ gate: "tests", message: "sum is missing" }] },
    {
      host: createLocalHost({ home: folder, clock: { now: () => Date.now() }, mask: (text) => text }),
      workspace: { tree, home: folder, tmp: folder },
      env: {},
      transcript: join(folder, "t.ndjson"),
      deadlineMs: 20_000,
      signal: new AbortController().signal,
      progress: (text) => void progress.push(text),
      ...context,
    },
  );
  const read = (path: string) => readFileSync(join(tree, path), "utf8");
  return { result, progress, tree, read, transcript: readFileSync(join(folder, "t.ndjson"), "utf8") };
}
