import { SECRET_PLACE } from "./hooks-shape.ts";
import type { Loading } from "./loading.ts";
import type { SettingsFile } from "./settings-file.ts";

/** A program of the user's that is told of events, or asked before something begins. */
export interface HookSettings {
  /** Unique within its file. */
  name: string;
  from: "project" | "user";
  /** Names of events, or `*`. */
  on: readonly string[];
  /** CEL over event, run and step. */
  if?: string | undefined;
  call: HookCall;
  timeoutMs: number;
  retries: number;
  /** Before the first retry; twice as long before each further one. */
  backoffMs: number;
  /** It may refuse what it is asked about; `onError`: what counts when it gives no answer. */
  veto?: { onError: "allow" | "refuse" } | undefined;
}

/** `secrets`: names of those that it gets as variables. Texts of webhooks may hold `${{ secrets.NAME }}`. */
export type HookCall =
  | { kind: "command"; command: string; secrets: readonly string[] }
  | { kind: "webhook"; url: string; headers: Readonly<Record<string, string>> };

/** Who is told that something waits for people. */
export interface NotifySettings {
  desktop: boolean;
  /** Name of the secret that is the URL of a webhook which takes Slack's messages. */
  webhookSecret?: string | undefined;
}

/** Where traces and metrics go. */
export interface TelemetrySettings {
  /** Without a trailing slash; `/v1/traces` and `/v1/metrics` come after it. */
  endpoint: string;
  /** Name of the secret that holds its headers. */
  headersSecret?: string | undefined;
}

const TRUST = "If you trust this project, write `project-hooks: allow` into your own config.yaml in Stepfall's folder";
const DEFAULTS = { timeoutMs: 30_000, retries: 5, backoffMs: 1000 };

/** Those of both files, the user's after the project's. A project that was cloned runs nothing outside the sandbox unless its user has said so. */
export function gatherHooks(loading: Loading): HookSettings[] {
  return loading.files.flatMap((file) => {
    if (file.kind === "project" && file.settings["project-hooks"] !== undefined)
      loading.refuseIn(file, "NOT_THE_PROJECTS", ["project-hooks"], "`project-hooks` is not the project's to say", TRUST);
    const hooks = file.settings.hooks ?? [];
    if (hooks.length > 0 && !mayCount(loading, file, "hooks", "run outside the sandbox")) return [];
    if (hooks.length > 0) loading.origins["hooks"] ??= loading.originIn(file, ["hooks"]);
    const names = new Set<string>();
    return hooks.map((hook, i): HookSettings => {
      const name = hook.name ?? `hooks-${i + 1}`;
      if (names.has(name))
        loading.refuseIn(
          file,
          "BAD_VALUE",
          ["hooks", String(i), "name"],
          `There are two hooks called ${name}`,
          "Give each a name of its own",
        );
      names.add(name);
      return {
        name,
        from: file.kind,
        on: hook.on,
        ...(hook.if === undefined ? {} : { if: hook.if }),
        call:
          hook.webhook === undefined
            ? { kind: "command", command: hook.run ?? "", secrets: hook.secrets ?? [] }
            : { kind: "webhook", url: hook.webhook.trim(), headers: hook.headers ?? {} },
        timeoutMs: hook.timeout ?? DEFAULTS.timeoutMs,
        retries: hook.retries ?? (hook.veto ? 0 : DEFAULTS.retries),
        backoffMs: hook.backoff ?? DEFAULTS.backoffMs,
        ...(hook.veto ? { veto: { onError: hook["on-error"] ?? "refuse" } } : {}),
      };
    });
  });
}

/** Each word is the user's own first: who is to be told is a person's choice. A webhook is an address out of the user's secrets, so as a hook. */
export function gatherNotify(loading: Loading): NotifySettings {
  const find = <T>(read: (file: SettingsFile) => T | undefined): T | undefined => {
    for (const file of loading.files.toReversed()) {
      const value = read(file);
      if (value === undefined) continue;
      loading.origins["notify"] ??= loading.originIn(file, ["notify"]);
      return value;
    }
    return undefined;
  };
  const webhookSecret = find((file) => {
    const secret = file.settings.notify?.webhook?.["url-secret"];
    return secret !== undefined && mayCount(loading, file, "notify", "send to an address among your secrets") ? secret : undefined;
  });
  return { desktop: find((file) => file.settings.notify?.desktop) ?? false, ...(webhookSecret === undefined ? {} : { webhookSecret }) };
}

export function gatherTelemetry(loading: Loading): TelemetrySettings | undefined {
  const found = loading.setting("telemetry");
  if (!found || !mayCount(loading, found.file, "telemetry", "send away what runs do")) return undefined;
  const { endpoint, "headers-secret": headersSecret } = found.value;
  return { endpoint, ...(headersSecret === undefined ? {} : { headersSecret }) };
}

/** Names of secrets that they use: hidden in all output, whatever they are called. */
export function hookSecretNames(loading: Loading): string[] {
  return loading.files.flatMap(({ settings: { hooks = [], notify, telemetry } }) =>
    [
      ...hooks.flatMap((h) => [
        ...(h.secrets ?? []),
        ...[h.webhook ?? "", ...Object.values(h.headers ?? {})].flatMap((text) => [...text.matchAll(SECRET_PLACE)].map((m) => m[1] ?? "")),
      ]),
      notify?.webhook?.["url-secret"] ?? [],
      telemetry?.["headers-secret"] ?? [],
    ].flat(),
  );
}

function mayCount(loading: Loading, file: SettingsFile, key: string, what: string): boolean {
  if (file.kind !== "project") return true;
  const own = loading.files.find((f) => f.kind === "user")?.settings["project-hooks"];
  if ((loading.request.env["STEPFALL_PROJECT_HOOKS"] ?? own) === "allow") return true;
  loading.refuseIn(file, "NOT_THE_PROJECTS", [key], `\`${key}\` of a project would ${what}, and that is not the project's to say`, TRUST);
  return false;
}
