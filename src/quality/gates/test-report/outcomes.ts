/** How a test ended. */
export type TestOutcome = "passed" | "failed" | "skipped";

/** Outcomes by the test's name, with its file or class in front: unique in a project that names its tests so. */
export type TestOutcomes = ReadonlyMap<string, TestOutcome>;

const weight: Readonly<Record<TestOutcome, number>> = { passed: 0, skipped: 1, failed: 2 };

/** Of several tests of one name the worst outcome counts. */
export class OutcomeList {
  readonly #found = new Map<string, TestOutcome>();

  add(parts: readonly (string | undefined)[], outcome: TestOutcome): void {
    const name = parts
      .filter((part) => part !== undefined && part.trim() !== "")
      .map((part) => part?.trim())
      .join(" > ");
    if (name === "") return;
    const known = this.#found.get(name);
    if (known === undefined || weight[outcome] > weight[known]) this.#found.set(name, outcome);
  }

  get outcomes(): TestOutcomes {
    return this.#found;
  }
}
