import { useNavigate } from "@tanstack/react-router";
import { Tabs } from "radix-ui";
import { useId, useState, type ReactNode } from "react";
import { asProblem, useActions, type Problem, type ProjectRef } from "../data/index.ts";
import { Button, Dialog, inputClass, ProblemNote } from "../ui/index.ts";
import { readInputs, readLines, readUsd } from "./start-values.ts";

const tab =
  "border-b-2 border-transparent px-3 py-2 text-muted data-[state=active]:border-accent data-[state=active]:font-medium data-[state=active]:text-ink";

/** Gives a task, or starts a pipeline. What is wrong with it is said here, before anything was created. */
export function StartDialog({ projects, onClose }: { projects: readonly ProjectRef[]; onClose: () => void }) {
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
          <TaskForm projects={projects} onClose={onClose} />
        </Tabs.Content>
        <Tabs.Content value="pipeline">
          <PipelineForm projects={projects} onClose={onClose} />
        </Tabs.Content>
      </Tabs.Root>
    </Dialog>
  );
}

interface FormProps {
  projects: readonly ProjectRef[];
  onClose: () => void;
}

function TaskForm({ projects, onClose }: FormProps) {
  const act = useActions();
  const [project, setProject] = useState(projects[0]?.path ?? "");
  const [tasks, setTasks] = useState("");
  const [gates, setGates] = useState("");
  const [isUngated, setUngated] = useState(false);
  const [budget, setBudget] = useState("");
  const send = (): Promise<{ runId: string }> =>
    act.doTasks({
      project: project.trim(),
      tasks: readLines(tasks),
      ...(isUngated ? { noGates: true } : readLines(gates).length > 0 ? { gates: readLines(gates) } : {}),
      ...readUsd(budget),
    });
  return (
    <StartForm send={send} onClose={onClose} isReady={project.trim() !== "" && readLines(tasks).length > 0} button="Start">
      <ProjectField projects={projects} value={project} onChange={setProject} />
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
      <BudgetField value={budget} onChange={setBudget} />
    </StartForm>
  );
}

function PipelineForm({ projects, onClose }: FormProps) {
  const act = useActions();
  const [project, setProject] = useState(projects[0]?.path ?? "");
  const [file, setFile] = useState("pipeline.yaml");
  const [inputs, setInputs] = useState("");
  const [budget, setBudget] = useState("");
  const [isDirty, setDirty] = useState(false);
  const values = readInputs(inputs);
  const send = (): Promise<{ runId: string }> =>
    act.start({
      project: project.trim(),
      pipeline: { file: file.trim() },
      ...(Object.keys(values.inputs).length > 0 ? { inputs: values.inputs } : {}),
      ...readUsd(budget),
      ...(isDirty ? { includeDirty: true } : {}),
    });
  return (
    <StartForm
      send={send}
      onClose={onClose}
      isReady={project.trim() !== "" && file.trim() !== "" && values.wrong === undefined}
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
      <BudgetField value={budget} onChange={setBudget} />
      <label className="flex items-center gap-2">
        <input type="checkbox" checked={isDirty} onChange={(event) => setDirty(event.target.checked)} /> Take uncommitted changes along
      </label>
    </StartForm>
  );
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
      {problem ? <ProblemNote problem={problem} /> : undefined}
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
    <Field label="Project: the folder of a git repository">
      {(id) => (
        <>
          <input
            id={id}
            list={list}
            className={`${inputClass} font-mono`}
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

function BudgetField({ value, onChange }: { value: string; onChange: (to: string) => void }) {
  return (
    <Field label="Budget in USD: most that the run may spend. Left empty: what the project says">
      {(id) => (
        <input
          id={id}
          type="number"
          min="0"
          step="any"
          className={`${inputClass} max-w-40`}
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}
