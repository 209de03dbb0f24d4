/**
 * From what a person says to steps: sentences as pipelines, the checks a project brings along, templates fitted to it; and what an agent is told.
 * Questions and context selection are not built yet: docs/status.md.
 */
export { buildPrompt } from "./context/prompt.ts";
export { checkFiles, findChecks } from "./checks/find.ts";
export type { Checks, FoundCommand, ReadFile } from "./checks/contract.ts";
export { pipelineOfTasks } from "./tasks/pipeline-text.ts";
export { loadBatch, type BatchProblem, type ReadBatch } from "./tasks/read-batch.ts";
export type { Task, TaskDefaults, TaskPipeline } from "./tasks/contract.ts";
export { fitTemplate, pipelineOfTemplate, type TemplateFit } from "./template/fit.ts";
export { loadWorkload } from "./workload/read-workload.ts";
export type { ReadWorkload, TaskFile, Workload, WorkloadProblem, WorkloadTask } from "./workload/contract.ts";
