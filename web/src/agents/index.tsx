import { Link } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { useAgents, useMe, type AgentRow, type Agents, type LeasedAttempt, type ProviderState } from "../data/index.ts";
import {
  Ago,
  Duration,
  Empty,
  exactTime,
  Loading,
  nameOf,
  Panel,
  plural,
  ProblemNote,
  StatusMark,
  statusOf,
  Tag,
  Took,
} from "../ui/index.ts";

const th = "px-3 py-2 text-left text-xs font-medium text-muted";
const td = "px-3 py-2 align-top";

/** Who can work, who does, on what grounds it is believed to, and what waits for a slot. */
export function AgentsPage() {
  const projects = useMe().data?.projects ?? [];
  const [project, setProject] = useState<string>();
  const chosen = project ?? projects[0]?.path;
  const agents = useAgents(chosen);
  const data = agents.data;
  return (
    <div className="mx-auto flex max-w-6xl flex-col gap-4">
      <header className="flex flex-wrap items-center gap-3">
        <h1 className="mr-auto text-lg font-semibold">Agents</h1>
        {projects.length > 0 ? (
          <label className="flex items-center gap-2 text-muted">
            Settings of
            <select
              className="max-w-60 rounded-md border border-strong-line bg-surface px-2 py-1.5 text-ink"
              value={chosen}
              onChange={(event) => setProject(event.target.value)}
            >
              {projects.map(({ path, name }) => (
                <option key={path} value={path}>
                  {name || nameOf(path)}
                </option>
              ))}
            </select>
          </label>
        ) : undefined}
      </header>
      {agents.error && !data ? <ProblemNote problem={agents.error} retry={() => void agents.refetch()} /> : undefined}
      {agents.isPending ? <Loading what="Loading agents" /> : undefined}
      {data ? (
        <>
          <Queue data={data} />
          <AtWork attempts={data.attempts} />
          <Registered data={data} />
        </>
      ) : undefined}
    </div>
  );
}

function Queue({ data: { queue, slots } }: { data: Agents }) {
  return (
    <Panel title="This machine">
      <dl className="flex flex-wrap gap-x-8 gap-y-2">
        <Fact name="slots at work">
          <span className="inline-flex items-center gap-2">
            <Slots busy={slots.busy} total={slots.total} />
            {slots.busy} of {slots.total}
          </span>
        </Fact>
        <Fact name="attempts queued">{queue.queued}</Fact>
        <Fact name="the oldest waits for">{queue.oldestWaitMs === undefined ? "nothing waits" : <Took ms={queue.oldestWaitMs} />}</Fact>
      </dl>
    </Panel>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex flex-col">
      <dt className="text-xs text-muted">{name}</dt>
      <dd className="font-medium">{children}</dd>
    </div>
  );
}

const MOST_MARKS = 24;

/** A box for each slot, full ones first. */
function Slots({ busy, total }: { busy: number; total: number }) {
  if (total > MOST_MARKS) return undefined;
  return (
    <span className="inline-flex flex-wrap gap-0.5" aria-hidden="true">
      {Array.from({ length: Math.max(total, busy) }, (_, i) => (
        <span key={i} className={`size-2.5 rounded-xs border ${i < busy ? "border-busy bg-busy" : "border-strong-line"}`} />
      ))}
    </span>
  );
}

function AtWork({ attempts }: { attempts: readonly LeasedAttempt[] }) {
  return (
    <Panel title={`At work (${attempts.length})`} flush>
      {attempts.length === 0 ? (
        <Empty title="No attempt runs.">When one does, this tells how it is and why that is believed: calls, output, processor time.</Empty>
      ) : (
        <div className="overflow-x-auto" tabIndex={0} role="region" aria-label="Attempts at work">
          <table className="w-full">
            <thead>
              <tr>
                <th className={th}>Attempt</th>
                <th className={th}>Agent</th>
                <th className={th}>How it is</th>
                <th className={th}>Lease</th>
              </tr>
            </thead>
            <tbody>
              {attempts.map((attempt) => (
                <AttemptRow key={attempt.attempt} attempt={attempt} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

function AttemptRow({ attempt: { attempt, runId, agent, lease, live } }: { attempt: LeasedAttempt }) {
  const inRun = attempt.slice(runId.length + 1);
  const state = lease.isGone ? "dead" : (live?.state ?? "unknown");
  return (
    <tr className="border-t border-line">
      <td className={td}>
        <Link
          to="/runs/$runId"
          params={{ runId }}
          search={{ step: live?.step ?? inRun.replace(/#\d+$/, ""), attempt }}
          className="font-medium text-accent underline"
        >
          {inRun}
        </Link>
        <p className="font-mono text-xs text-muted">{runId}</p>
      </td>
      <td className={td}>{agent ?? "–"}</td>
      <td className={td}>
        <StatusMark status={statusOf(state)} label word={lease.isGone ? "its engine is gone" : state} />
        {live ? (
          <span className="text-muted">
            {" "}
            for <Duration from={live.since} />
            {live.risk ? `, risk ${live.risk.score.toFixed(2)}` : ""}
          </span>
        ) : undefined}
        <ul className="text-xs text-muted">
          {(live?.evidence ?? (lease.isGone ? [] : ["its engine has not told yet"])).map((line) => (
            <li key={line} className="break-words">
              {line}
            </li>
          ))}
        </ul>
      </td>
      <td className={`${td} text-xs text-muted`}>
        <p className="font-mono break-all">{lease.holder}</p>
        <p>
          epoch {lease.epoch}, until <span title={exactTime(lease.until)}>{lease.isGone ? "it is over" : <Ago at={lease.until} />}</span>
        </p>
      </td>
    </tr>
  );
}

function Registered({ data }: { data: Agents }) {
  if (data.problem !== undefined)
    return <ProblemNote problem={{ code: "SETTINGS_BAD", message: data.problem, hint: "stepfall doctor tells where, and what to do." }} />;
  return (
    <Panel title={`Registered (${data.agents.length})`} flush>
      {data.agents.length === 0 ? (
        <Empty title="No agent is registered." command="stepfall doctor">
          Set a key such as ANTHROPIC_API_KEY, start a local model, or write agents into stepfall.yaml. This tells what was found and what
          it lacks:
        </Empty>
      ) : (
        <div className="overflow-x-auto" tabIndex={0} role="region" aria-label="Registered agents">
          <table className="w-full">
            <thead>
              <tr>
                <th className={th}>Agent</th>
                <th className={th}>Tier</th>
                <th className={th}>Executor</th>
                <th className={th}>Model</th>
                <th className={th}>At work</th>
                <th className={th}>Provider</th>
              </tr>
            </thead>
            <tbody>
              {data.agents.map((agent) => (
                <AgentLine key={agent.id} agent={agent} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}

function AgentLine({ agent }: { agent: AgentRow }) {
  return (
    <tr className="border-t border-line">
      <td className={td}>
        <p className="font-medium">{agent.id}</p>
        <p className="text-xs text-muted">{agent.capabilities.join(", ")}</p>
      </td>
      <td className={td}>
        <Tag>{agent.tier}</Tag>
      </td>
      <td className={td}>{agent.executor}</td>
      <td className={`${td} font-mono text-xs`}>{agent.model ?? "–"}</td>
      <td className={td}>
        <span title={agent.slots === undefined ? "its account has no limit of its own" : `account ${agent.account}`}>
          {agent.busy}
          {agent.slots === undefined ? "" : ` of ${agent.slots}`}
        </span>
      </td>
      <td className={td}>
        {agent.providerState ? <ProviderTrouble state={agent.providerState} /> : <span className="text-muted">no trouble known</span>}
      </td>
    </tr>
  );
}

function ProviderTrouble({ state }: { state: ProviderState }) {
  return (
    <div>
      {state.breaker === "closed" ? undefined : (
        <p>
          <StatusMark status="note" label word={`keeps failing, ${plural(state.failuresInRow, "time")} in a row`} />
          {state.openUntil === undefined ? undefined : (
            <span className="text-muted">
              , asked again <Ago at={state.openUntil} />
            </span>
          )}
        </p>
      )}
      {state.limits.map((limit) => (
        <p key={limit.model}>
          <StatusMark status="quota" label word={`limit of ${limit.model} met`} />
          <span className="text-muted">
            , over <Ago at={limit.until} />
          </span>
        </p>
      ))}
      {state.lastFailure === undefined ? undefined : <p className="text-xs break-words text-muted">{state.lastFailure}</p>}
    </div>
  );
}
