/** GitHub Actions workflow -> its DAG, and a pipeline that does the same or says where it cannot. */
export { importActions } from "./import.ts";
export type { ActionsDag, ActionsJob, ActionsMatrix, ImportedActions, ImportNote, ImportProblem, ImportProblemCode } from "./contract.ts";
