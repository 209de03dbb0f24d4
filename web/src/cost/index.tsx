import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { costDimensions, useCost, useNow, type CostDimension } from "../data/index.ts";
import { Empty, Loading, Money, Panel, plural, ProblemNote, ProjectSelect, selectClass } from "../ui/index.ts";
import { BarChart } from "./bar-chart.tsx";
import { CostTable } from "./cost-table.tsx";
import { DayChart } from "./day-chart.tsx";
import { sinceDays } from "./fill-days.ts";
import { GatesPanel } from "./gates-panel.tsx";
import { SavingsPanel } from "./savings-panel.tsx";

const spans = [
  { days: 1, name: "today" },
  { days: 7, name: "7 days" },
  { days: 30, name: "30 days" },
  { days: 0, name: "ever" },
] as const;

/** What was spent on what, what it would have cost otherwise, and how good the gates are that decide what counts. */
export function CostPage() {
  const [by, setBy] = useState<CostDimension>("day");
  const [days, setDays] = useState<number>(7);
  const [project, setProject] = useState("");
  // Changes at midnight, and at no other moment: that would be another question each time.
  const since = sinceDays(days, useNow(60_000));
  const part = { project: project === "" ? undefined : project, since };
  const cost = useCost(by, part);
  const data = cost.data;

  return (
    <div className="mx-auto flex max-w-6xl flex-col gap-4">
      <header className="flex flex-wrap items-center gap-3">
        <h1 className="mr-auto text-lg font-semibold">Cost</h1>
        <ProjectSelect label="Project" all="all" value={project} onChange={setProject} />
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
              <Empty title="Nothing was spent in this time." command="stepfall cost">
                Each call of an agent to a model comes here when it is settled. Choose a longer time, or start work on{" "}
                <Link to="/" className="text-accent underline">
                  Overview
                </Link>
                . The bill of the last run, in a terminal:
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
      <GatesPanel part={part} />
    </div>
  );
}
