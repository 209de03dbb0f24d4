import { parseModelName } from "./agents.ts";
import type { Found, Given, Loading } from "./loading.ts";
import { builtinProviders, provider, type ProviderEntry } from "./providers.ts";
import type { SecretBox } from "./secret-box.ts";
import { fileNamedIn } from "./named-file.ts";
import type { ProviderSettings } from "./settings.ts";
import { BaseUrl } from "./settings-schema.ts";

/** Providers under these names, made by `--model-url`, run on one's own hardware: no charge. */
const LOCAL_NAMES = new Set(["local", "ollama", "localai"]);

export const MODEL_KEY = "STEPFALL_MODEL_KEY";

/** Those of the files, those built in, and the one that `--model-url` makes. */
export function gatherProviders(
  loading: Loading,
  home: string,
  entries: ReadonlyMap<string, Found<ProviderEntry>>,
  secrets: SecretBox,
  asked: { model: Given | undefined; url: Given | undefined },
): Map<string, ProviderSettings> {
  const builtins = new Map(builtinProviders(loading.request.env).map((b) => [b.id, b]));
  const providers = new Map<string, ProviderSettings>();
  for (const id of new Set([...entries.keys(), ...builtins.keys()])) {
    const found = entries.get(id);
    const script = scriptOf(loading, home, id, found);
    const made = provider(id, builtins.get(id), found?.value, secrets, script);
    if (found && made.url === "" && found.value.script === undefined) {
      loading.refuseIn(
        found.file,
        "MISSING_KEY",
        ["providers", id],
        `\`url\` is missing in \`providers.${id}\``,
        "Add the base URL of its API",
      );
    }
    loading.origins[`providers.${id}`] ??= builtins.get(id)?.from ?? { kind: "default" };
    providers.set(id, made);
  }
  const { model, url } = asked;
  const id = model && parseModelName(String(model.value))?.provider;
  if (url && !model) loading.refuse(url.name, "BAD_MODEL", "A model URL is given without a model", "Give --model provider/model too");
  if (url) {
    const checked = BaseUrl.safeParse(url.value);
    if (!checked.success) {
      loading.refuse(
        url.name,
        "BAD_URL",
        "This is not a plain http(s) URL",
        `Write it like http://127.0.0.1:11434/v1; a key goes into ${MODEL_KEY}`,
      );
      // Known by name, so that its model is not a second problem.
      if (id !== undefined && !providers.has(id)) providers.set(id, provider(id, undefined, undefined, secrets));
    } else if (id !== undefined) {
      // Only the key meant for this URL goes there: another provider's must not reach a host it was not made for.
      const keyEnv = secrets.get(MODEL_KEY) === undefined ? {} : { "key-env": MODEL_KEY };
      const { prices, protocol } = entries.get(id)?.value ?? {};
      providers.set(id, provider(id, undefined, { ...keyEnv, url: checked.data, local: LOCAL_NAMES.has(id), prices, protocol }, secrets));
      loading.origins[`providers.${id}`] = url.origin;
    }
  } else if (id !== undefined && secrets.get(MODEL_KEY) !== undefined) {
    const known = providers.get(id);
    if (known) providers.set(id, { ...known, keyEnv: MODEL_KEY, ready: { ok: true } });
  }
  return providers;
}

function scriptOf(loading: Loading, home: string, id: string, found: Found<ProviderEntry> | undefined): string | undefined {
  const value = found?.value.script;
  if (!found || value === undefined) return undefined;
  const path = ["providers", id, "script"];
  const { url, "key-env": keyEnv } = found.value;
  if (url !== undefined || keyEnv !== undefined) {
    loading.refuseIn(
      found.file,
      "BAD_VALUE",
      path,
      `providers.${id} has a \`script\` and a \`${url === undefined ? "key-env" : "url"}\``,
      "A scripted model asks nobody: take one of them out",
    );
  }
  return fileNamedIn(loading, home, { file: found.file, path, value, hint: "Name a file inside the project" });
}
