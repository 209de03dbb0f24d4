import type { Task } from "@a2a-js/sdk";
import { InMemoryTaskStore, type ServerCallContext, type TaskStore } from "@a2a-js/sdk/server";

/**
 * The tasks of late, in memory: at least `keep`, fewer than twice as many. Two stores in turn, so that a server that runs for weeks
 * does not hold every file it ever handed over.
 */
export class RecentTasks implements TaskStore {
  readonly #keep: number;
  #ids = new Set<string>();
  #now = new InMemoryTaskStore();
  #before = new InMemoryTaskStore();
  constructor(keep: number) {
    this.#keep = keep;
  }

  async save(task: Task, context: ServerCallContext): Promise<void> {
    if (!this.#ids.has(task.id) && this.#ids.size >= this.#keep) {
      this.#before = this.#now;
      this.#now = new InMemoryTaskStore();
      this.#ids = new Set();
    }
    this.#ids.add(task.id);
    await this.#now.save(task, context);
  }

  load = async (taskId: string, context: ServerCallContext): Promise<Task | undefined> =>
    (await this.#now.load(taskId, context)) ?? this.#before.load(taskId, context);

  /** Of the newer ones. */
  list: TaskStore["list"] = (params, context) => this.#now.list(params, context);
}
