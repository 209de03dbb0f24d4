import type { SecretBox } from "./secret-box.ts";
import type { Environment, Origin, ProviderSettings, WireFormat } from "./settings.ts";
import type { Settings } from "./settings-schema.ts";

interface Builtin {
  id: string;
  url: string;
  /** Where it speaks what. */
  bases: Readonly<Partial<Record<WireFormat, string>>>;
  /** The first that is set names the key. */
  keyEnvs: readonly string[];
  isLocal: boolean;
  from: Origin;
}

const OPENAI = "https://api.openai.com/v1";
const ANTHROPIC = "https://api.anthropic.com/v1";
const GEMINI = "https://generativelanguage.googleapis.com/v1beta";
const VENDORS: ReadonlySet<string> = new Set([OPENAI, ANTHROPIC, `${GEMINI}/openai`]);
const EVERY_FORMAT: readonly WireFormat[] = ["chat", "responses", "messages", "gemini"];

/** Providers that need no settings: a variable of their own is enough. */
export function builtinProviders(env: Environment): Builtin[] {
  const from = (name: string): Origin => (env[name] ? { kind: "environment", name } : { kind: "default" });
  const hosted = (id: string, url: string, native: Builtin["bases"], keyEnvs: string[], at: string): Builtin => ({
    id,
    url,
    bases: { chat: url, ...native },
    keyEnvs,
    isLocal: false,
    from: from(at),
  });
  const local = (id: string, url: string, at: string): Builtin => ({
    id,
    url,
    bases: { chat: url },
    keyEnvs: [],
    isLocal: true,
    from: from(at),
  });
  const google = env["GEMINI_API_KEY"] ? "GEMINI_API_KEY" : "GOOGLE_API_KEY";
  const openai = trim(env["OPENAI_BASE_URL"] || OPENAI);
  const builtins = [
    // Of another server under that name only the format is known that all of them speak.
    hosted("openai", openai, openai === OPENAI ? { responses: OPENAI } : {}, ["OPENAI_API_KEY"], "OPENAI_API_KEY"),
    hosted("anthropic", ANTHROPIC, { messages: ANTHROPIC }, ["ANTHROPIC_API_KEY"], "ANTHROPIC_API_KEY"),
    hosted("gemini", `${GEMINI}/openai`, { gemini: GEMINI }, ["GEMINI_API_KEY", "GOOGLE_API_KEY"], google),
    local("ollama", ollamaUrl(env["OLLAMA_HOST"]), "OLLAMA_HOST"),
  ];
  if (env["LOCALAI_URL"]) builtins.push(local("localai", withV1(env["LOCALAI_URL"]), "LOCALAI_URL"));
  return builtins;
}

const trim = (url: string): string => url.trim().replace(/\/+$/, "");

const withV1 = (url: string): string => (/\/v\d\w*$/.test(trim(url)) ? trim(url) : `${trim(url)}/v1`);

/** OLLAMA_HOST as Ollama reads it: host, host:port, :port or a URL; the address it listens on is not one to call. */
function ollamaUrl(host: string | undefined): string {
  const text = trim(host ?? "");
  const [, scheme = "http", rest = ""] = /^(?:(https?):\/\/)?(.*)$/.exec(text) ?? [];
  const [, address = "", port = "", path = ""] = /^(\[[^\]]*\]|[^:/]*)(?::(\d+))?(\/.*)?$/.exec(rest) ?? [];
  const name = address === "" || address === "0.0.0.0" || address === "[::]" ? "127.0.0.1" : address;
  // Ollama's own rule: a URL without a port means the scheme's.
  const schemePort = scheme === "https" ? "443" : "80";
  return withV1(`${scheme}://${name}:${port || (/^https?:/.test(text) ? schemePort : "11434")}${path}`);
}

export type ProviderEntry = NonNullable<Settings["providers"]>[string];

/** A provider of the settings on top of the built-in one of the same name, or that alone. */
export function provider(
  id: string,
  builtin: Builtin | undefined,
  entry: ProviderEntry | undefined,
  secrets: SecretBox,
  script?: string,
): ProviderSettings {
  // A URL of one's own gets a key only by `key-env`: another host must not be sent the built-in provider's key.
  const ownKeys = entry?.url === undefined && script === undefined ? (builtin?.keyEnvs ?? []) : [];
  const keyEnv = entry?.["key-env"] ?? ownKeys.find((name) => secrets.get(name) !== undefined) ?? ownKeys[0];
  const prices = Object.entries(entry?.prices ?? {}).map(([model, p]) => {
    const write = p["cache-write"] === undefined ? {} : { cacheWrite: p["cache-write"] };
    return [model, { input: p.input, cachedInput: p["cached-input"] ?? p.input, ...write, output: p.output }] as const;
  });
  const url = script === undefined ? (entry?.url ?? builtin?.url ?? "") : "";
  const native: Builtin["bases"] = entry?.url === undefined ? (builtin?.bases ?? {}) : {};
  const usual = script === undefined ? (Object.keys({ chat: url, ...native }) as WireFormat[]) : EVERY_FORMAT;
  const protocols = entry?.protocol === undefined ? usual : [...new Set([entry.protocol].flat())];
  return {
    id,
    url,
    protocols,
    bases: script === undefined ? Object.fromEntries(protocols.map((protocol) => [protocol, native[protocol] ?? url])) : {},
    keyEnv,
    isLocal: entry?.local ?? builtin?.isLocal ?? false,
    isVendor: VENDORS.has(url),
    ...(script === undefined ? {} : { script }),
    prices: Object.fromEntries(prices),
    ready: readiness(id, keyEnv, secrets),
  };
}

function readiness(id: string, keyEnv: string | undefined, secrets: SecretBox): ProviderSettings["ready"] {
  if (keyEnv === undefined || secrets.get(keyEnv) !== undefined) return { ok: true };
  return {
    ok: false,
    problem: `The provider ${id} has no key: ${keyEnv} is not set`,
    hint: `Set ${keyEnv} in the environment, in the dotenv file of the settings, or in the file \`secrets\` in Stepfall's folder`,
  };
}
