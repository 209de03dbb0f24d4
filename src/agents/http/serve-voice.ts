import { randomUUID } from "node:crypto";
import { Role, TaskState, type Message, type Part } from "@a2a-js/sdk";
import { AgentEvent, type ExecutionEventBus, type RequestContext } from "@a2a-js/sdk/server";
import { textPart } from "./a2a-parts.ts";
import { FAILURE_METADATA, USAGE_METADATA, type RemoteUsage } from "./contract.ts";

/** What a task publishes, in the order A2A wants it. */
export class Voice {
  readonly #ids: { taskId: string; contextId: string };
  readonly #bus: ExecutionEventBus;
  readonly #artifacts = new Set<string>();
  constructor({ taskId, contextId }: RequestContext, bus: ExecutionEventBus) {
    this.#ids = { taskId, contextId };
    this.#bus = bus;
  }

  begin(): void {
    const { taskId, contextId } = this.#ids;
    const status = this.#status(TaskState.TASK_STATE_SUBMITTED);
    // Without the message: it holds all the files, and would be sent back.
    this.#bus.publish(AgentEvent.task({ id: taskId, contextId, status, artifacts: [], history: [], metadata: undefined }));
  }

  progress(text: string): void {
    this.#publish(TaskState.TASK_STATE_WORKING, text);
  }

  artifact(artifactId: string, parts: Part[], usage?: RemoteUsage): void {
    const metadata = usage ? { [USAGE_METADATA]: usage } : undefined;
    const append = this.#artifacts.has(artifactId);
    this.#artifacts.add(artifactId);
    this.#bus.publish(
      AgentEvent.artifactUpdate({
        ...this.#ids,
        artifact: { artifactId, name: artifactId, description: "", parts, metadata, extensions: [] },
        append,
        lastChunk: false,
        metadata: undefined,
      }),
    );
  }

  fail(because: string, message: string): void {
    this.#publish(TaskState.TASK_STATE_FAILED, message, { [FAILURE_METADATA]: because });
  }

  end(state: TaskState, text: string): void {
    this.#publish(state, text);
  }

  #publish(state: TaskState, text: string, metadata?: Record<string, unknown>): void {
    this.#bus.publish(AgentEvent.statusUpdate({ ...this.#ids, status: this.#status(state, text, metadata), metadata: undefined }));
  }

  #status(state: TaskState, text = "", metadata?: Record<string, unknown>) {
    const message: Message | undefined =
      text === ""
        ? undefined
        : {
            messageId: randomUUID(),
            ...this.#ids,
            role: Role.ROLE_AGENT,
            parts: [textPart(text)],
            metadata,
            extensions: [],
            referenceTaskIds: [],
          };
    return { state, message, timestamp: new Date().toISOString() };
  }
}
