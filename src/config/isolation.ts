import { ENV_PLACEHOLDERS, parseEnvTemplate } from "./env-template.ts";
import type { Loading } from "./loading.ts";
import type { IsolationSettings } from "./settings.ts";
import type { Settings } from "./settings-schema.ts";
import { named, shown } from "./yaml/shown.ts";

const GB = 1e9;
export const defaultIsolation: IsolationSettings = {
  ports: 5,
  env: {},
  diskBytes: 50 * GB,
  workspaceDiskBytes: 20 * GB,
  cacheDiskBytes: 20 * GB,
  freeDiskBytes: 1 * GB,
};

type Key = keyof NonNullable<Settings["isolation"]>;

/** The project's word for each key before the user's; variables are joined by name. */
export function gatherIsolation(loading: Loading): IsolationSettings {
  const first = <K extends Key>(key: K): NonNullable<Settings["isolation"]>[K] | undefined => {
    for (const file of loading.files) {
      const value = file.settings.isolation?.[key];
      if (value === undefined) continue;
      loading.origins[`isolation.${key}`] = loading.originIn(file, ["isolation", key]);
      return value;
    }
    loading.origins[`isolation.${key}`] = { kind: "default" };
    return undefined;
  };
  const limit = (key: "disk" | "workspace-disk" | "cache-disk" | "free-disk", otherwise: number | null): number | null => {
    const value = first(key);
    return value === undefined ? otherwise : value;
  };
  const ports = first("ports") ?? defaultIsolation.ports;
  first("env");
  return {
    ports,
    env: gatherEnv(loading, ports),
    diskBytes: limit("disk", defaultIsolation.diskBytes),
    workspaceDiskBytes: limit("workspace-disk", defaultIsolation.workspaceDiskBytes),
    cacheDiskBytes: limit("cache-disk", defaultIsolation.cacheDiskBytes),
    freeDiskBytes: limit("free-disk", defaultIsolation.freeDiskBytes),
  };
}

function gatherEnv(loading: Loading, ports: number): Record<string, string> {
  const env: Record<string, string> = {};
  for (const file of loading.files) {
    for (const [name, text] of Object.entries(file.settings.isolation?.env ?? {})) {
      const path = ["isolation", "env", name];
      const parsed = parseEnvTemplate(text, ports);
      if (parsed.ok) {
        env[name] ??= text;
        continue;
      }
      const { placeholder, port } = parsed.fault;
      if (port !== undefined) {
        const message = `${named(shown(placeholder, 40))} asks for a port that is not there: \`ports\` is ${ports}`;
        loading.refuseIn(file, "BAD_VALUE", path, message, `Write \`ports: ${port}\` or more beside \`env\``);
      } else {
        const known = ["PORT", "PORT_2", "...", ...Object.keys(ENV_PLACEHOLDERS)].join(", ");
        const message = `${named(shown(placeholder, 40))} is no placeholder`;
        loading.refuseIn(file, "BAD_VALUE", path, message, `Placeholders: ${known}. Write \`$\${\` for a plain \`\${\``);
      }
    }
  }
  return env;
}
