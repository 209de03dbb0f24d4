import { isOver, type RunEvent, type RunState } from "../../domain/index.ts";
import { phasesOf } from "./phases.ts";
import { reportFile, writeReports, type ReportSources } from "./write.ts";

/** Writes a run's reports while it is driven: of a phase when its last step ends, of the run when it is over. Holds nobody up. */
export class ReportWriter {
  readonly #sources: ReportSources;
  readonly #runId: string;
  readonly #written = new Set<string>();
  readonly #phaseOf = new Map<string, string>();
  /** Steps of each phase that are not over. */
  readonly #open = new Map<string, Set<string>>();
  #writing: Promise<void> = Promise.resolve();
  #problem: string | undefined;

  /** `state`: the run as it is before the first event that is looked at. */
  constructor(sources: ReportSources, state: RunState) {
    this.#sources = sources;
    this.#runId = state.runId;
    for (const { name, steps } of phasesOf(state)) {
      for (const s of steps) this.#phaseOf.set(s.step.path, name);
      this.#open.set(name, new Set(steps.filter((s) => !isOver(s)).map((s) => s.step.path)));
    }
  }

  look(event: RunEvent): void {
    switch (event.type) {
      case "StepExpanded":
        for (const child of event.data.children) {
          const phase = child.phase ?? this.#phaseOf.get(event.data.step);
          if (phase === undefined) continue;
          this.#phaseOf.set(child.path, phase);
          this.#openIn(phase).add(child.path);
        }
        break;
      case "StepReopened": {
        const phase = this.#phaseOf.get(event.data.step);
        if (phase === undefined) break;
        this.#openIn(phase).add(event.data.step);
        this.#written.delete(reportFile(this.#sources.home, this.#runId, phase));
        break;
      }
      case "StepCompleted":
      case "StepFailed":
      case "StepSkipped":
      case "StepCancelled": {
        const phase = this.#phaseOf.get(event.data.step);
        const open = phase === undefined ? undefined : this.#open.get(phase);
        if (open?.delete(event.data.step) && open.size === 0) this.#writing = this.#writing.then(() => this.#write());
        break;
      }
      default:
        break;
    }
  }

  /** Writes what is still to be written. Answers what could not be. */
  async end(): Promise<string | undefined> {
    await this.#writing;
    await this.#write();
    return this.#problem;
  }

  #openIn(phase: string): Set<string> {
    const open = this.#open.get(phase) ?? new Set();
    this.#open.set(phase, open);
    return open;
  }

  async #write(): Promise<void> {
    try {
      await writeReports(this.#sources, this.#runId, this.#written);
      this.#problem = undefined;
    } catch (error) {
      this.#problem = error instanceof Error ? error.message : String(error);
    }
  }
}
