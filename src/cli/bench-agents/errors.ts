export type BenchErrorCode =
  | "WORKLOAD_BUSY" // another process does the same workload
  | "WORKLOAD_PROJECT" // its scratch project cannot be made
  | "PRIORS_UNREADABLE";

/** What keeps a benchmark of agents from going on. */
export class BenchError extends Error {
  readonly code: BenchErrorCode;
  readonly hint: string;
  constructor(code: BenchErrorCode, message: string, hint: string) {
    super(message);
    this.name = "BenchError";
    this.code = code;
    this.hint = hint;
  }
}
