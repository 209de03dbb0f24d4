import type { components } from "./openapi.d.ts";

/** What the server takes and answers, by the names that pages use. Money in micro-dollars, times in epoch milliseconds. */
type Schemas = components["schemas"];

export type Role = Schemas["Role"];
export type Me = Schemas["Me"];
export type ProjectRef = Schemas["Project"];
export type RunSummary = Schemas["RunSummary"];
export type Overview = Schemas["Overview"];
export type StepReport = Schemas["StepReport"];
export type RunReport = Schemas["RunReport"];
export type LogPage = Schemas["LogPage"];
export type LogLine = Schemas["LogLine"];
export type DiffPage = Schemas["DiffPage"];
export type PromptPage = Schemas["PromptPage"];
export type Merged = Schemas["Merged"];
export type InboxEntry = Schemas["InboxEntry"];
export type Verdict = Schemas["Answer"]["verdict"];
export type Answered = Schemas["Answered"];
export type AgentRow = Schemas["AgentRow"];
export type Agents = Schemas["AgentsView"];
export type LeasedAttempt = Schemas["LiveAttempt"];
export type ProviderState = Schemas["ProviderState"];
export type Cost = Schemas["CostView"];
export type ViewRow = Schemas["LedgerRow"];
export type Savings = Schemas["Savings"];
export type Gates = Schemas["GatesView"];
export type Proportion = Gates["gates"][number]["falseAccepts"];
export type Settings = Schemas["Settings"];
export type Doctor = Schemas["Doctor"];
export type StartRun = Schemas["StartRun"];
export type DoTasks = Schemas["DoTasks"];

export type CostDimension = Cost["by"];
/** In the order they are offered. */
export const costDimensions = ["day", "tier", "model", "agent", "step", "run", "policy"] as const satisfies readonly CostDimension[];
