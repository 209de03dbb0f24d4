import { useNavigate } from "@tanstack/react-router";
import { Tabs } from "radix-ui";
import { useId, useState, type ReactNode } from "react";
import { asProblem, useActions, useAgents, useSettings, type Problem, type ProjectRef } from "../data/index.ts";
import { Button, Dialog, inputClass, NoAgent, ProblemNote, workersOf } from "../ui/index.ts";
import { readInputs, readLines, readUsd } from "./start-values.ts";

const tab =
  "border-b-2 border-transparent px-3 py-2 text-muted data-[state=active]:border-accent data-[state=active]:font-medium data-[state=active]:text-ink";

interface StartProps {
  projects: readonly ProjectRef[];
  /** Where work is to be started, unless something else is said. */
  project: string;
  onClose: () => void;
}

/** Gives a task, or starts a pipeline. What is wrong with it is said here, before anything was created. */
export function StartDialog({ projects, project, onClose }: StartProps) {
  return (
    <Dialog title="Start work" onClose={onClose}>
      <Tabs.Root defaultValue="task">
        <Tabs.List aria-label="What to start" className="-mt-2 mb-3 flex border-b border-line">
          <Tabs.Trigger value="task" className={tab}>
            Give a task
          </Tabs.Trigger>
          <Tabs.Trigger value="pipeline" className={tab}>
            Run a pipeline
          </Tabs.Trigger>
        </Tabs.List>
        <Tabs.Content value="task">
          <TaskForm projects={projects} project={project} onClose={onClose} />
        </Tabs.Content>
        <Tabs.Content value="pipeline">
          <PipelineForm projects={projects} project={project} onClose={onClose} />
        </Tabs.Content>
      </Tabs.Root>
    </Dialog>
  );
}

function TaskForm({ projects, project: given, onClose }: StartProps) {
  const act = useActions();
  const [project, setProject] = useState(given);
  const [tasks, setTasks] = useState("");
  const [gates, setGates] = useState("");
  const [isUngated, setUngated] = useState(false);
  const [budget, setBudget] = useState("");
  const { wrong, ...usd } = readUsd(budget);
  const send = (): Promise<{ runId: string }> =>
    act.doTasks({
      project: project.trim(),
      tasks: readLines(tasks),
      ...(isUngated ? { noGates: true } : readLines(gates).length > 0 ? { gates: readLines(gates) } : {}),
      ...usd,
    });
  return (
    <StartForm
      send={send}
      onClose={onClose}
      isReady={project.trim() !== "" && readLines(tasks).length > 0 && wrong === undefined}
      button="Start"
    >
      <ProjectField projects={projects} value={project} onChange={setProject} />
      <AgentNote project={given} />
      <Field label="Tasks, one a line; several are done side by side">
        {(id) => (
          <textarea
            id={id}
            data-first
            rows={3}
            className={inputClass}
            placeholder="Fix the cart total: it forgets quantities."
            value={tasks}
            onChange={(event) => setTasks(event.target.value)}
          />
        )}
      </Field>
      <Field label="Gates: commands that decide whether the work is accepted, one a line. Left empty: what is found in the project">
        {(id) => (
          <textarea
            id={id}
            rows={1}
            disabled={isUngated}
            className={`${inputClass} font-mono`}
            placeholder="npm test"
            value={gates}
            onChange={(event) => setGates(event.target.value)}
          />
        )}
      </Field>
      <label className="flex items-center gap-2">
        <input type="checkbox" checked={isUngated} onChange={(event) => setUngated(event.target.checked)} /> Accept any change, with no gate
      </label>
      <BudgetField value={budget} wrong={wrong} onChange={setBudget} />
    </StartForm>
  );
}

/** Said before anything is filled in: without an agent a task cannot be done. */
function AgentNote({ project }: { project: string }) {
  const agents = useAgents(project === "" ? undefined : project).data;
  const home = useSettings(project === "" ? undefined : project).data?.home;
  if (!agents || agents.problem !== undefined || workersOf(agents.agents).length > 0) return undefined;
  return (
    <div className="rounded-md bg-warn-soft px-3 py-2">
      <p className="font-medium">No agent can do a task here yet.</p>
      <NoAgent home={home} />
      <p>Commands, approvals and the sample on the first page of Overview need none.</p>
    </div>
  );
}

function PipelineForm({ projects, project: given, onClose }: StartProps) {
  const act = useActions();
  const [project, setProject] = useState(given);
  const [file, setFile] = useState("pipeline.yaml");
  const [inputs, setInputs] = useState("");
  const [budget, setBudget] = useState("");
  const [isDirty, setDirty] = useState(false);
  const values = readInputs(inputs);
  const { wrong, ...usd } = readUsd(budget);
  const send = (): Promise<{ runId: string }> =>
    act.start({
      project: project.trim(),
      pipeline: { file: file.trim() },
      ...(Object.keys(values.inputs).length > 0 ? { inputs: values.inputs } : {}),
      ...usd,
      ...(isDirty ? { includeDirty: true } : {}),
    });
  return (
    <StartForm
      send={send}
      onClose={onClose}
      isReady={project.trim() !== "" && file.trim() !== "" && values.wrong === undefined && wrong === undefined}
      button="Start the run"
    >
      <ProjectField projects={projects} value={project} onChange={setProject} />
      <Field label="Pipeline: a file in the project">
        {(id) => <input id={id} className={`${inputClass} font-mono`} value={file} onChange={(event) => setFile(event.target.value)} />}
      </Field>
      <Field label="Inputs of the pipeline, name=value, one a line">
        {(id) => (
          <textarea
            id={id}
            rows={2}
            className={`${inputClass} font-mono`}
            value={inputs}
            onChange={(event) => setInputs(event.target.value)}
          />
        )}
      </Field>
      {values.wrong === undefined ? undefined : <p className="text-bad">{values.wrong}</p>}
      <BudgetField value={budget} wrong={wrong} onChange={setBudget} />
      <label className="flex items-center gap-2">
        <input type="checkbox" checked={isDirty} onChange={(event) => setDirty(event.target.checked)} /> Take uncommitted changes along
      </label>
    </StartForm>
  );
}

/** What commands say to those who type flags, in the words of the fields here. */
function forThisWindow({ code, message, hint, problems }: Problem): Pick<Problem, "code" | "message" | "hint" | "problems"> {
  const own =
    code === "NO_GATE"
      ? "Write the command that tells whether the work is good into Gates. Or tick that any change is accepted."
      : code === "STEP_NOT_ROUTABLE" && hint.includes("--model")
        ? "The page Agents says what to do to have one. Or write agents into stepfall.yaml, and commit it."
        : code === "FILE_MISSING" || problems?.some((p) => p.code === "FILE_MISSING")
          ? "In the project's folder, `stepfall init` writes a first pipeline.yaml; `stepfall init --template approval` one that takes no agent."
          : hint;
  return { code, message, hint: own, problems };
}

function StartForm({
  send,
  isReady,
  button,
  onClose,
  children,
}: {
  send: () => Promise<{ runId: string }>;
  isReady: boolean;
  button: string;
  onClose: () => void;
  children: ReactNode;
}) {
  const navigate = useNavigate();
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const submit = async (): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    try {
      const { runId } = await send();
      onClose();
      await navigate({ to: "/runs/$runId", params: { runId } });
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  };
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (isReady && !isBusy) void submit();
      }}
    >
      {children}
      {problem ? <ProblemNote problem={forThisWindow(problem)} /> : undefined}
      {problem?.status === 0 ? (
        <p className="text-bad">It may have been started all the same: look at the runs before you start it once more.</p>
      ) : undefined}
      <div className="flex items-center gap-2">
        <Button type="submit" look="primary" disabled={!isReady || isBusy}>
          {isBusy ? "Checking and starting …" : button}
        </Button>
        <Button onClick={onClose}>Cancel</Button>
        {isBusy ? <span className="text-muted">Agents and providers are tried first.</span> : undefined}
      </div>
    </form>
  );
}

function Field({ label, children }: { label: string; children: (id: string) => ReactNode }) {
  const id = useId();
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="text-muted">
        {label}
      </label>
      {children(id)}
    </div>
  );
}

function ProjectField({ projects, value, onChange }: { projects: readonly ProjectRef[]; value: string; onChange: (to: string) => void }) {
  const list = useId();
  return (
    <Field label="Project: the folder of a git repository on this machine, its whole path">
      {(id) => (
        <>
          <input
            id={id}
            list={list}
            className={`${inputClass} font-mono`}
            placeholder="/home/you/your-project"
            value={value}
            onChange={(event) => onChange(event.target.value)}
          />
          <datalist id={list}>
            {projects.map(({ path, name }) => (
              <option key={path} value={path}>
                {name}
              </option>
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

function BudgetField({ value, wrong, onChange }: { value: string; wrong: string | undefined; onChange: (to: string) => void }) {
  return (
    <>
      <Field label="Budget in USD: most that the run may spend. Left empty: what the project says">
        {(id) => (
          <input
            id={id}
            inputMode="decimal"
            className={`${inputClass} max-w-40`}
            value={value}
            onChange={(event) => onChange(event.target.value)}
          />
        )}
      </Field>
      {wrong === undefined ? undefined : <p className="text-bad">{wrong}</p>}
    </>
  );
}
