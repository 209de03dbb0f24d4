import { TaskState, type Artifact, type Message, type StreamResponse, type Task, type TaskStatus } from "@a2a-js/sdk";
import { FailureKind } from "../../domain/index.ts";
import { readParts, usageOf } from "./a2a-parts.ts";
import { FAILURE_METADATA, type RemoteOutcome } from "./contract.ts";

const overStates = new Set([
  TaskState.TASK_STATE_COMPLETED,
  TaskState.TASK_STATE_FAILED,
  TaskState.TASK_STATE_CANCELED,
  TaskState.TASK_STATE_REJECTED,
]);

/** What is known of the task so far. */
export class TaskView {
  id: string | undefined;
  status: TaskStatus | undefined;
  #artifacts = new Map<string, Artifact>();
  #message: Message | undefined;
  readonly #progress: (text: string) => void;
  constructor(progress: (text: string) => void) {
    this.#progress = progress;
  }

  take({ payload }: StreamResponse): void {
    switch (payload?.$case) {
      case undefined:
        return;
      case "task":
        return this.takeTask(payload.value);
      case "message":
        this.#message = payload.value;
        return;
      case "statusUpdate":
        this.id = payload.value.taskId;
        return this.#takeStatus(payload.value.status);
      case "artifactUpdate": {
        const { artifact, append, taskId } = payload.value;
        this.id = taskId;
        const before = artifact && append ? this.#artifacts.get(artifact.artifactId) : undefined;
        if (before && artifact) before.parts.push(...artifact.parts);
        else if (artifact) this.#artifacts.set(artifact.artifactId, artifact);
        return;
      }
      default:
        payload satisfies never;
    }
  }

  takeTask(task: Task): void {
    this.id = task.id;
    for (const artifact of task.artifacts) this.#artifacts.set(artifact.artifactId, artifact);
    this.#takeStatus(task.status);
  }

  #takeStatus(status: TaskStatus | undefined): void {
    this.status = status ?? this.status;
    const text = textOf(status?.message);
    if (status?.state === TaskState.TASK_STATE_WORKING && text !== "") this.#progress(text);
  }

  /** Whether the task is in a state that it does not leave: one that waits for an answer goes on when it gets it. */
  get isOver(): boolean {
    return this.#message !== undefined || overStates.has(this.status?.state ?? TaskState.TASK_STATE_UNSPECIFIED);
  }

  /** `undefined` while it goes on. */
  outcome(): RemoteOutcome | undefined {
    if (this.#message) return this.#done(this.#message.parts);
    const said = textOf(this.status?.message);
    const state = this.status?.state ?? TaskState.TASK_STATE_UNSPECIFIED;
    switch (state) {
      case TaskState.TASK_STATE_UNSPECIFIED:
      case TaskState.UNRECOGNIZED:
      case TaskState.TASK_STATE_SUBMITTED:
      case TaskState.TASK_STATE_WORKING:
        return undefined;
      case TaskState.TASK_STATE_COMPLETED:
        return this.#done([...this.#artifacts.values()].flatMap((artifact) => artifact.parts));
      case TaskState.TASK_STATE_FAILED:
        return this.#failed(FailureKind.safeParse(this.status?.message?.metadata?.[FAILURE_METADATA]).data ?? "agent", said || "it failed");
      case TaskState.TASK_STATE_REJECTED:
        return this.#failed("agent", `it rejected the task: ${said || "no reason given"}`);
      case TaskState.TASK_STATE_CANCELED:
        return this.#failed("agent", `the task was cancelled at the remote agent's side. ${said}`.trim());
      case TaskState.TASK_STATE_INPUT_REQUIRED:
        return this.#failed("agent", `it asks: ${said || "(nothing)"}. Answering a remote agent's questions is not supported yet`);
      case TaskState.TASK_STATE_AUTH_REQUIRED:
        return this.#failed("setup", `it wants a login: ${said}. Give it one at its own side`);
      default:
        return state satisfies never;
    }
  }

  #done(parts: Message["parts"]): RemoteOutcome {
    const read = readParts(parts);
    if (!read.ok) return this.#failed("agent", read.message);
    return { kind: "done", summary: read.text || textOf(this.status?.message), files: read.files, usage: this.#usage() };
  }

  #failed(because: FailureKind, message: string): RemoteOutcome {
    return { kind: "failed", because, message, usage: this.#usage() };
  }

  #usage = () => usageOf([...this.#artifacts.values()]);
}

function textOf(message: Message | undefined): string {
  const read = readParts(message?.parts ?? []);
  return read.ok ? read.text : "";
}
