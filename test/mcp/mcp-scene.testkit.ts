import { Client, type CallToolResult, type ElicitRequestFormParams, type ElicitResult } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { launcher, Scene } from "../../src/cli/cli.testkit.ts";

/** Both generations of the protocol. */
export const generations = ["2025-11-25", "2026-07-28"] as const;
export type Generation = (typeof generations)[number];

/** What the client's person does with a form. */
export type Person = (form: ElicitRequestFormParams) => Decided | Promise<Decided>;
type Decided = { action: ElicitResult["action"]; content?: Record<string, string> };

export interface ConnectOptions {
  generation?: Generation;
  person?: Person;
  /** Of `stepfall mcp`. */
  flags?: readonly string[];
  name?: string;
  /** More variables for the server. */
  env?: Record<string, string>;
}

export interface Answered {
  /** Of structured answers. */
  data: Record<string, unknown>;
  text: string;
  isError: boolean;
}

/** A client of the reference implementation, and what it is told. */
export interface Connected extends AsyncDisposable {
  client: Client;
  call(name: string, input?: Record<string, unknown>, onProgress?: (message: string) => void): Promise<Answered>;
  /** What the server said beside the protocol. */
  said(): string;
  /** The server's process. */
  pid: number;
}

/** A process takes long to begin where others have the machine. */
export const SLOWLY = { timeout: 240_000 };

export function newClient({ generation = "2026-07-28", person, name = "test-client" }: ConnectOptions): Client {
  const client = new Client(
    { name, version: "1.0.0" },
    {
      capabilities: person ? { elicitation: { form: {} } } : {},
      versionNegotiation: {
        mode: generation === "2025-11-25" ? "legacy" : { pin: generation },
        probe: { timeoutMs: SLOWLY.timeout },
      },
    },
  );
  if (person) client.setRequestHandler("elicitation/create", async ({ params }) => person(params as ElicitRequestFormParams));
  return client;
}

export async function callWith(
  client: Client,
  name: string,
  input: Record<string, unknown> = {},
  onProgress?: (message: string) => void,
): Promise<Answered> {
  const options = { ...SLOWLY, ...(onProgress ? { onprogress: (p: { message?: string }) => onProgress(p.message ?? "") } : {}) };
  const result: CallToolResult = await client.callTool({ name, arguments: input }, options);
  const text = result.content.map((c) => (c.type === "text" ? c.text : "")).join("\n");
  return { data: (result.structuredContent ?? {}) as Record<string, unknown>, text, isError: result.isError === true };
}

/** All that a server of the scene sees of its surroundings. */
export const environmentOf = (scene: Scene): Record<string, string> => ({
  PATH: process.env["PATH"] ?? "",
  HOME: scene.folder,
  USER: "anna",
  STEPFALL_HOME: scene.home,
  OLLAMA_HOST: "http://127.0.0.1:9",
  ...scene.sandbox,
});

/** How a client starts the server. */
export interface ServerCommand {
  command: string;
  args: string[];
  env: Record<string, string>;
}

export const serverCommand = (scene: Scene, flags: readonly string[] = []): ServerCommand => ({
  command: process.execPath,
  args: [launcher, "mcp", ...flags],
  env: environmentOf(scene),
});

/** `stepfall mcp` in the scene's project, and the reference client at its other end. */
export async function connect(scene: Scene, options: ConnectOptions = {}): Promise<Connected> {
  const { env, ...command } = serverCommand(scene, options.flags);
  const transport = new StdioClientTransport({ ...command, env: { ...env, ...options.env }, cwd: scene.project, stderr: "pipe" });
  let said = "";
  transport.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const client = newClient(options);
  await client.connect(transport, SLOWLY);
  return {
    client,
    call: (name, input, onProgress) => callWith(client, name, input, onProgress),
    said: () => said,
    pid: transport.pid ?? 0,
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** A scene whose runs go on by themselves: what is not over when the test is is cancelled. */
export class McpScene extends Scene {
  override async [Symbol.asyncDispose](): Promise<void> {
    if (this.homeExists) {
      const { values } = await this.json("ps", "--all");
      const runs = (values[0]?.["runs"] ?? []) as { runId: string; endedAt?: number }[];
      for (const { runId } of runs.filter((r) => r.endedAt === undefined)) await this.run(["cancel", runId]);
    }
    await super[Symbol.asyncDispose]();
  }
}
