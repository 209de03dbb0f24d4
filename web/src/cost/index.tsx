import { useMemo, useState } from "react";
import { costDimensions, useCost, useGates, useMe, type CostDimension } from "../data/index.ts";
import { CommandLine, Empty, Loading, Money, nameOf, Panel, percentText, plural, ProblemNote } from "../ui/index.ts";
import { BarChart } from "./bar-chart.tsx";
import { CostTable } from "./cost-table.tsx";
import { DayChart } from "./day-chart.tsx";
import { GateTable } from "./gate-table.tsx";
import { SavingsPanel } from "./savings-panel.tsx";

const spans = [
  { days: 1, name: "the last day" },
  { days: 7, name: "7 days" },
  { days: 30, name: "30 days" },
  { days: 0, name: "ever" },
] as const;

const DAY_MS = 86_400_000;
const selectClass = "rounded-md border border-strong-line bg-surface px-2 py-1.5 text-ink";

/** What was spent on what, what it would have cost otherwise, and how good the gates are that decide what counts. */
export function CostPage() {
  const projects = useMe().data?.projects ?? [];
  const [by, setBy] = useState<CostDimension>("day");
  const [days, setDays] = useState<number>(7);
  const [project, setProject] = useState("");
  // Once for each choice: with every other moment it would be another question.
  const since = useMemo(() => (days === 0 ? undefined : Math.floor(Date.now() / 60_000) * 60_000 - days * DAY_MS), [days]);
  const part = { project: project === "" ? undefined : project, since };
  const cost = useCost(by, part);
  const gates = useGates(part);
  const data = cost.data;

  return (
    <div className="mx-auto flex max-w-6xl flex-col gap-4">
      <header className="flex flex-wrap items-center gap-3">
        <h1 className="mr-auto text-lg font-semibold">Cost</h1>
        {projects.length > 1 ? (
          <label className="flex items-center gap-2 text-muted">
            Project
            <select className={`max-w-52 ${selectClass}`} value={project} onChange={(event) => setProject(event.target.value)}>
              <option value="">all</option>
              {projects.map(({ path, name }) => (
                <option key={path} value={path}>
                  {name || nameOf(path)}
                </option>
              ))}
            </select>
          </label>
        ) : undefined}
        <label className="flex items-center gap-2 text-muted">
          Since
          <select className={selectClass} value={days} onChange={(event) => setDays(Number(event.target.value))}>
            {spans.map((span) => (
              <option key={span.days} value={span.days}>
                {span.name}
              </option>
            ))}
          </select>
        </label>
        <label className="flex items-center gap-2 text-muted">
          By
          <select
            className={selectClass}
            value={by}
            onChange={(event) => setBy(costDimensions.find((d) => d === event.target.value) ?? "day")}
          >
            {costDimensions.map((dimension) => (
              <option key={dimension} value={dimension}>
                {dimension}
              </option>
            ))}
          </select>
        </label>
      </header>
      {cost.error && !data ? <ProblemNote problem={cost.error} retry={() => void cost.refetch()} /> : undefined}
      {cost.isPending ? <Loading what="Loading the bill" /> : undefined}
      {data ? (
        <>
          <Panel
            title={
              <>
                <Money microUsd={data.total.microUsd} scripted={data.total.scripted > 0} /> for {plural(data.runs, "run")}
              </>
            }
            aside={<span className="text-xs text-muted">days of {data.timeZone}</span>}
            flush
          >
            {data.rows.length === 0 ? (
              <Empty title="Nothing was spent in this time.">
                Each call of an agent to a model comes here when it is settled. Choose a longer time, or start work.
              </Empty>
            ) : (
              <>
                {data.total.microUsd > 0 ? (
                  <div className="p-3">
                    {data.by === "day" ? (
                      <DayChart rows={data.rows} since={data.since} timeZone={data.timeZone} />
                    ) : (
                      <BarChart rows={data.rows} />
                    )}
                  </div>
                ) : undefined}
                <CostTable cost={data} />
              </>
            )}
          </Panel>
          <SavingsPanel savings={data.savings} />
          {data.problem === undefined ? undefined : (
            <ProblemNote
              problem={{
                code: "SETTINGS_BAD",
                message: data.problem,
                hint: "Prices are those of the ledger until the settings can be read.",
              }}
            />
          )}
        </>
      ) : undefined}
      {gates.data ? (
        <Panel
          title="Gates"
          aside={
            gates.data.gates.length === 0 ? undefined : (
              <span className="text-xs text-muted">
                all together: {percentText(gates.data.together.falseAccept)} of wrong results accepted,{" "}
                {percentText(gates.data.together.falseRefuse)} of right ones refused
                {gates.data.together.isAssumed ? " (mostly assumed: too few results are known)" : ""}
              </span>
            )
          }
          flush
        >
          {gates.data.gates.length === 0 ? (
            <Empty title="No gate has judged anything in this time.">
              Gates decide what is accepted. Once results are known to be right or wrong, this tells how often each gate errs. You can tell
              it: <CommandLine command="stepfall feedback STEP wrong" />
            </Empty>
          ) : (
            <GateTable gates={gates.data.gates} />
          )}
        </Panel>
      ) : undefined}
    </div>
  );
}
