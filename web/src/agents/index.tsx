import { Link } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { useAgents, useMe, useSettings, type AgentRow, type Agents, type LeasedAttempt, type ProviderState } from "../data/index.ts";
import {
  Ago,
  Duration,
  Empty,
  exactTime,
  Loading,
  NoAgent,
  Panel,
  plural,
  ProblemNote,
  ProjectSelect,
  StatusMark,
  statusOf,
  Table,
  Tag,
  Td,
  Th,
  Took,
  workersOf,
} from "../ui/index.ts";

/** Who can work, who does, on what grounds it is believed to, and what waits for a slot. */
export function AgentsPage() {
  const projects = useMe().data?.projects ?? [];
  const [project, setProject] = useState<string>();
  const chosen = project ?? projects[0]?.path;
  const agents = useAgents(chosen);
  const data = agents.data;
  const home = useSettings(chosen).data?.home;
  return (
    <div className="mx-auto flex max-w-6xl flex-col gap-4">
      <header className="flex flex-wrap items-center gap-3">
        <h1 className="mr-auto text-lg font-semibold">Agents</h1>
        <ProjectSelect label="Settings of" value={chosen} onChange={setProject} />
      </header>
      {agents.error && !data ? <ProblemNote problem={agents.error} retry={() => void agents.refetch()} /> : undefined}
      {agents.isPending ? <Loading what="Loading agents" /> : undefined}
      {data ? (
        <>
          <Queue data={data} />
          <AtWork attempts={data.attempts} />
          <Registered data={data} home={home} />
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
        <Empty title="No attempt runs." command='stepfall do "Fix the failing test"'>
          When one does, this tells how it is and why that is believed: calls, output, processor time. Start work on{" "}
          <Link to="/" className="text-accent underline">
            Overview
          </Link>
          , or in a project's folder:
        </Empty>
      ) : (
        <Table
          label="Attempts at work"
          head={
            <>
              <Th left>Attempt</Th>
              <Th left>Agent</Th>
              <Th left>How it is</Th>
              <Th left>Lease</Th>
            </>
          }
        >
          {attempts.map((attempt) => (
            <AttemptRow key={attempt.attempt} attempt={attempt} />
          ))}
        </Table>
      )}
    </Panel>
  );
}

function AttemptRow({ attempt: { attempt, runId, agent, lease, live } }: { attempt: LeasedAttempt }) {
  const inRun = attempt.slice(runId.length + 1);
  const state = lease.isGone ? "dead" : (live?.state ?? "unknown");
  return (
    <tr className="border-t border-line">
      <Td left>
        <Link
          to="/runs/$runId"
          params={{ runId }}
          search={{ step: live?.step ?? inRun.replace(/#\d+$/, ""), attempt }}
          className="font-medium text-accent underline"
        >
          {inRun}
        </Link>
        <p className="font-mono text-xs text-muted">{runId}</p>
      </Td>
      <Td left>{agent ?? "–"}</Td>
      <Td left>
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
      </Td>
      <Td left>
        <p className="font-mono text-xs break-all text-muted">{lease.holder}</p>
        <p className="text-xs text-muted">
          epoch {lease.epoch}, until <span title={exactTime(lease.until)}>{lease.isGone ? "it is over" : <Ago at={lease.until} />}</span>
        </p>
      </Td>
    </tr>
  );
}

function Registered({ data, home }: { data: Agents; home: string | undefined }) {
  if (data.problem !== undefined)
    return <ProblemNote problem={{ code: "SETTINGS_BAD", message: data.problem, hint: "stepfall doctor tells where, and what to do." }} />;
  return (
    <Panel title={`Registered (${data.agents.length})`} flush>
      {workersOf(data.agents).length === 0 ? (
        <div className="flex max-w-prose flex-col gap-1 p-4 text-muted">
          <p className="font-medium text-ink">No agent can be given a task.</p>
          <NoAgent home={home} />
        </div>
      ) : undefined}
      {data.agents.length === 0 ? undefined : (
        <Table
          label="Registered agents"
          head={
            <>
              <Th left>Agent</Th>
              <Th left>Tier</Th>
              <Th left>Executor</Th>
              <Th left>Model</Th>
              <Th left>At work</Th>
              <Th left>Provider</Th>
            </>
          }
        >
          {data.agents.map((agent) => (
            <AgentLine key={agent.id} agent={agent} />
          ))}
        </Table>
      )}
    </Panel>
  );
}

function AgentLine({ agent }: { agent: AgentRow }) {
  return (
    <tr className="border-t border-line">
      <Td left>
        <p className="font-medium">{agent.id}</p>
        <p className="text-xs text-muted">{agent.capabilities.join(", ")}</p>
      </Td>
      <Td left>
        <Tag>{agent.tier}</Tag>
      </Td>
      <Td left>{agent.executor}</Td>
      <Td left>
        <span className="font-mono text-xs">{agent.model ?? "–"}</span>
      </Td>
      <Td left>
        <span title={agent.slots === undefined ? "its account has no limit of its own" : `account ${agent.account}`}>
          {agent.busy}
          {agent.slots === undefined ? "" : ` of ${agent.slots}`}
        </span>
      </Td>
      <Td left>
        {agent.providerState ? <ProviderTrouble state={agent.providerState} /> : <span className="text-muted">no trouble known</span>}
      </Td>
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
