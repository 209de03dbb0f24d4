import { useState, type ReactNode } from "react";
import { useDoctor, useMe, useSettings, type Settings } from "../data/index.ts";
import { ThemeButton } from "../shell/theme.tsx";
import { Button, CommandLine, Loading, Empty, nameOf, Panel, ProblemNote, ProjectSelect, StatusMark, statusOf, Tag } from "../ui/index.ts";

/** What is set and where, and what works here. Settings are files: nothing is changed from this page. */
export function SettingsPage() {
  const projects = useMe().data?.projects ?? [];
  const [project, setProject] = useState<string>();
  const chosen = project ?? projects[0]?.path;
  const settings = useSettings(chosen);
  return (
    <div className="mx-auto flex max-w-5xl flex-col gap-4">
      <header className="flex flex-wrap items-center gap-3">
        <h1 className="mr-auto text-lg font-semibold">Settings</h1>
        <span className="md:hidden">
          <ThemeButton />
        </span>
        <ProjectSelect label="Project" value={chosen} onChange={setProject} />
      </header>
      <DoctorPanel project={chosen} />
      {settings.error && !settings.data ? <ProblemNote problem={settings.error} retry={() => void settings.refetch()} /> : undefined}
      {settings.isPending ? <Loading what="Loading settings" /> : undefined}
      {settings.data ? <Shown settings={settings.data} /> : undefined}
    </div>
  );
}

function DoctorPanel({ project }: { project: string | undefined }) {
  const [isOn, setOn] = useState(false);
  const doctor = useDoctor(isOn, project);
  const check = (): void => {
    setOn(true);
    if (isOn) void doctor.refetch();
  };
  return (
    <Panel
      title="Doctor"
      aside={
        <Button small disabled={doctor.isFetching} onClick={check}>
          {doctor.isFetching ? "Checking …" : doctor.data ? "Check again" : "Check now"}
        </Button>
      }
      flush
    >
      {doctor.error && !doctor.isFetching ? (
        <div className="p-3">
          <ProblemNote problem={doctor.error} />
        </div>
      ) : undefined}
      {doctor.data ? (
        <ul>
          {doctor.data.checks.map((check) => (
            <li key={`${check.name} ${check.detail}`} className="flex gap-3 border-t border-line px-3 py-1.5 first:border-t-0">
              <span className="pt-0.5">
                <StatusMark status={statusOf(check.verdict)} word={check.verdict} />
              </span>
              <span className="w-32 shrink-0 font-medium break-words">{check.name}</span>
              <span className="min-w-0">
                <span className="break-words">{check.detail}</span>
                {check.hint ? <span className="block break-words text-muted">{check.hint}</span> : undefined}
              </span>
            </li>
          ))}
        </ul>
      ) : doctor.isFetching ? (
        <Loading what="Each agent is really started once; this takes a while" />
      ) : (
        <p className="p-3 text-muted">
          Tries what this machine has: git, the store, providers, the sandbox, and each agent is really started once. It spends nothing. The
          same in a terminal: <CommandLine command="stepfall doctor" />
        </p>
      )}
    </Panel>
  );
}

/** Shown in panels of their own. */
const own = new Set(["agents", "providers", "origins", "files", "project", "version"]);

/** A project's file that lies there uncommitted counts for no run. */
const absence = (path: string, project: string | undefined): string =>
  project !== undefined && path.startsWith(`${project}/`) ? "not in the last commit" : "not there";

function Shown({ settings }: { settings: Settings }) {
  const rest = Object.entries(settings).filter(([name]) => !own.has(name));
  return (
    <>
      <Panel title="Where they come from">
        <ul className="flex flex-col gap-1">
          {settings.files.map((file) => (
            <li key={file.path} className="flex items-center gap-2 font-mono text-xs">
              <StatusMark status={file.isThere ? "succeeded" : "pending"} word={file.isThere ? "is there" : "is not there"} />
              <span className="break-all">{file.path}</span>
              {file.isThere ? undefined : <span className="font-sans text-muted">{absence(file.path, settings.project)}</span>}
            </li>
          ))}
        </ul>
        <p className="mt-2 text-muted">They are changed in these files. A run reads those of the project from the last commit.</p>
      </Panel>
      <Panel title="Values" flush>
        <dl>
          {rest.map(([name, value]) => (
            <div
              key={name}
              className="grid grid-cols-1 gap-x-4 border-t border-line px-3 py-1.5 first:border-t-0 md:grid-cols-[10rem_1fr_auto]"
            >
              <dt className="font-medium">{name}</dt>
              <dd className="min-w-0 font-mono text-xs break-words">
                <Value value={value} />
              </dd>
              <dd className="text-xs text-muted">{originText(settings.origins[name])}</dd>
            </div>
          ))}
        </dl>
      </Panel>
      <Panel title={`Providers (${settings.providers.length})`} flush>
        {settings.providers.length === 0 ? (
          <Empty title="No provider is known." command="stepfall doctor">
            Set a key such as ANTHROPIC_API_KEY where the server is started, start a local model, or write providers into stepfall.yaml.
            This tells what was looked for:
          </Empty>
        ) : undefined}
        <ul>
          {settings.providers.map((provider) => (
            <Line key={provider.id} name={provider.id}>
              <StatusMark
                status={provider.ready.ok ? "succeeded" : "note"}
                label
                // Nobody has asked it: that is for the doctor.
                word={
                  provider.ready.ok
                    ? provider.keyEnv === undefined
                      ? "needs no key"
                      : "key is there"
                    : (provider.ready.problem ?? "not ready")
                }
              />
              <span className="font-mono text-xs break-all text-muted">{provider.url}</span>
              {provider.isScripted ? <Tag>scripted</Tag> : undefined}
              {provider.isLocal ? <Tag>local</Tag> : undefined}
              {provider.keyEnv === undefined ? undefined : <span className="text-xs text-muted">key in {provider.keyEnv}</span>}
            </Line>
          ))}
        </ul>
      </Panel>
      <Panel title={`Agents (${settings.agents.length})`} flush>
        {settings.agents.length === 0 ? (
          <Empty title="No agent is registered." command="stepfall doctor">
            Agents come with a provider, with a program such as Claude Code or Codex that is installed, or from stepfall.yaml. This tells
            what was looked for:
          </Empty>
        ) : undefined}
        <ul>
          {settings.agents.map((agent) => (
            <Line key={agent.id} name={agent.id}>
              <Tag>{agent.tier}</Tag>
              <span>{agent.preset ?? agent.executor}</span>
              <span className="font-mono text-xs">
                {agent.provider === undefined ? agent.model : `${agent.provider}/${agent.model ?? ""}`}
              </span>
              {agent.credentials === undefined ? undefined : <span className="text-xs text-muted">{agent.credentials}</span>}
              <span className="text-xs text-muted">{originText(settings.origins[`agents.${agent.id}`])}</span>
            </Line>
          ))}
        </ul>
      </Panel>
    </>
  );
}

function Line({ name, children }: { name: string; children: ReactNode }) {
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1 border-t border-line px-3 py-1.5 first:border-t-0">
      <span className="w-32 shrink-0 font-medium break-words">{name}</span>
      {children}
    </li>
  );
}

function Value({ value }: { value: unknown }): ReactNode {
  if (value === null || value === undefined) return <span className="text-muted">none</span>;
  if (typeof value === "string") return value;
  if (typeof value !== "object") return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, v]) => v !== undefined);
  if (entries.length === 0) return <span className="text-muted">none</span>;
  if (Array.isArray(value) && value.every((v) => typeof v !== "object")) return value.join(", ");
  return (
    <ul>
      {entries.map(([name, inner]) => (
        <li key={name}>
          {Array.isArray(value) ? undefined : <span className="text-muted">{name}: </span>}
          {typeof inner === "object" && inner !== null ? JSON.stringify(inner) : String(inner)}
        </li>
      ))}
    </ul>
  );
}

type Origin = Settings["origins"][string];

function originText(origin: Origin | undefined): string {
  if (!origin) return "";
  const { kind, name, by, file, line } = origin as Record<string, string | number | undefined>;
  if (kind === "flag" || kind === "environment") return String(name);
  if (kind === "project" || kind === "user") return `${nameOf(String(file))}:${line}`;
  return kind === "found" ? `found by the ${by} ${name}` : String(kind);
}
