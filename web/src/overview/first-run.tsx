import { Link, useNavigate } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { asProblem, useActions, useAgents, useSettings, type Problem, type ProjectRef } from "../data/index.ts";
import { Button, CommandLine, Kbd, Loading, nameOf, NoAgent, Panel, ProblemNote, shellWord, StatusMark, workersOf } from "../ui/index.ts";

/** For somebody whose home has no run: what a first one takes, what of it is there, and what to do about the rest. */
export function FirstRun({ projects, onStart }: { projects: readonly ProjectRef[]; onStart: (() => void) | undefined }) {
  const project = projects[0];
  const agents = useAgents(project?.path);
  const home = useSettings(project?.path).data?.home;
  const found = workersOf(agents.data?.agents ?? []);
  return (
    <Panel title="No run yet: your first one">
      <ol className="flex flex-col gap-4">
        <Need
          isThere={project !== undefined}
          title={project ? `A project: ${nameOf(project.path)}` : "A project: a folder with a git repository"}
        >
          {project ? (
            <p className="font-mono text-xs break-all">{project.path}</p>
          ) : (
            <p>
              None is known yet. Give its whole path with Start work, or go there in a terminal and start{" "}
              <code className="font-mono text-xs">stepfall up</code> anew. Your files there stay as they are: work is done in copies, until
              you merge it.
            </p>
          )}
        </Need>
        <Need
          isThere={found.length > 0}
          title={
            found.length > 0
              ? `Agents: ${found
                  .slice(0, 6)
                  .map(({ id }) => id)
                  .join(", ")}${found.length > 6 ? ` and ${found.length - 6} more` : ""}`
              : "An agent: a coding agent that is installed, or a model"
          }
        >
          {agents.isPending ? <Loading what="Looking for agents" /> : undefined}
          {agents.error && !agents.data ? <ProblemNote problem={agents.error} /> : undefined}
          {agents.data?.problem === undefined ? undefined : (
            <ProblemNote
              problem={{ code: "SETTINGS_BAD", message: agents.data.problem, hint: "stepfall doctor tells where, and what to do." }}
            />
          )}
          {agents.data && agents.data.problem === undefined && found.length === 0 ? <NoAgent home={home} /> : undefined}
          {found.length > 0 ? (
            <p>
              Whether they work is tried before a run begins. To try it now: Doctor in{" "}
              <Link to="/settings" className="text-accent underline">
                Settings
              </Link>
              .
            </p>
          ) : undefined}
        </Need>
        <Need isThere={false} title="A task, in a sentence">
          {onStart ? (
            <p className="flex flex-wrap items-center gap-2">
              <Button look="primary" onClick={onStart}>
                Start work <Kbd>n</Kbd>
              </Button>
              or, in the project's folder: <CommandLine command={'stepfall do "Fix the failing test"'} />
            </p>
          ) : (
            <p className="flex flex-wrap items-center gap-2">
              In the project's folder: <CommandLine command={'stepfall do "Fix the failing test"'} />
            </p>
          )}
          <p>It is here as soon as it begins: what the agent does, what its checks say, what it costs, and what waits for you.</p>
        </Need>
      </ol>
      <div className="mt-4 flex flex-col items-start gap-1 border-t border-line pt-3 text-muted">
        {onStart ? (
          <SampleRun />
        ) : (
          <>
            <p>{ABOUT_SAMPLE}</p>
            {home === undefined ? undefined : <CommandLine command={`stepfall --home ${shellWord(home)} demo --approve`} />}
          </>
        )}
      </div>
    </Panel>
  );
}

const ABOUT_SAMPLE =
  "Only to look around: a sample run on a small project in a temporary folder. Its model is scripted, so it takes no key, no network and no money; all else is real. It asks you something before it goes on.";

/** A run to look at, for somebody who has no agent yet. */
function SampleRun() {
  const act = useActions();
  const navigate = useNavigate();
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const start = async (): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    try {
      const { runId } = await act.sample();
      await navigate({ to: "/runs/$runId", params: { runId } });
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  };
  return (
    <>
      <p>{ABOUT_SAMPLE}</p>
      <Button disabled={isBusy} onClick={() => void start()}>
        {isBusy ? "Starting the sample …" : "Run the sample"}
      </Button>
      {problem ? <ProblemNote problem={problem} /> : undefined}
    </>
  );
}

function Need({ isThere, title, children }: { isThere: boolean; title: string; children: ReactNode }) {
  return (
    <li className="flex gap-2">
      <span className="pt-0.5">
        <StatusMark status={isThere ? "succeeded" : "pending"} word={isThere ? "is there" : "to do"} />
      </span>
      <div className="flex min-w-0 flex-col gap-1">
        <p className="font-medium break-words">{title}</p>
        <div className="flex max-w-prose flex-col gap-1 text-muted">{children}</div>
      </div>
    </li>
  );
}
