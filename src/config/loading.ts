import { join } from "node:path";
import type { ConfigProblem, ConfigProblemCode, LoadConfigRequest, Origin } from "./settings.ts";
import type { Settings } from "./settings-schema.ts";
import { readSettingsFile, type SettingsFile } from "./settings-file.ts";

/** A setting given by a flag or a variable. */
export interface Given {
  /** As problems call it: `--slots`, `$STEPFALL_SLOTS`. */
  name: string;
  value: string | number;
  origin: Origin;
}

/** A setting of a file, with the file. */
export interface Found<T> {
  value: T;
  file: SettingsFile;
}

type MapKey = "agents" | "providers" | "accounts";
type EntryOf<K extends MapKey> = NonNullable<Settings[K]>[string];

/** One loading of the settings: looks things up in order of precedence, and notes origins and problems on the way. */
export class Loading {
  readonly request: LoadConfigRequest;
  /** The project's before the user's. */
  readonly files: readonly SettingsFile[];
  readonly problems: ConfigProblem[];
  readonly origins: Record<string, Origin> = {};

  constructor(request: LoadConfigRequest, home: string) {
    this.request = request;
    this.files = readFiles(request, home);
    this.problems = this.files.flatMap((f) => f.problems);
  }

  /** A setting from outside the files: the flag, or else the variable. */
  given(flag: string, value: string | number | undefined, variable: string): Given | undefined {
    if (value !== undefined) return { name: flag, value, origin: { kind: "flag", name: flag } };
    const set = this.request.env[variable];
    return set ? { name: `$${variable}`, value: set, origin: { kind: "environment", name: variable } } : undefined;
  }

  /** The same, parsed; `form` says in words what it should be. */
  givenAs<T>(key: string, given: Given | undefined, parse: (value: string | number) => T | undefined, form: string): T | undefined {
    if (!given) return undefined;
    this.origins[key] = given.origin;
    const value = parse(given.value);
    if (value === undefined) this.refuse(given.name, "BAD_VALUE", `This is not ${form}`, `Give ${form}`);
    return value;
  }

  /** A setting from the highest file that has it. */
  setting<K extends keyof Settings>(key: K): Found<NonNullable<Settings[K]>> | undefined {
    for (const file of this.files) {
      const value = file.settings[key];
      if (value === undefined) continue;
      this.origins[key] ??= originIn(file, [key]);
      return { value: value, file };
    }
    return undefined;
  }

  /** The entries of a map setting of all files, by name, in the order of the files. */
  entries<K extends MapKey>(key: K): Map<string, Found<EntryOf<K>>> {
    const entries = new Map<string, Found<EntryOf<K>>>();
    for (const file of this.files) {
      const map = (file.settings[key] ?? {}) as Record<string, EntryOf<K>>;
      for (const id of file.source?.keys([key]) ?? []) {
        const value = Object.hasOwn(map, id) ? map[id] : undefined;
        if (value === undefined || entries.has(id)) continue;
        entries.set(id, { value, file });
        this.origins[`${key}.${id}`] = originIn(file, [key, id]);
      }
    }
    return entries;
  }

  originIn(file: SettingsFile, path: readonly string[]): Origin {
    return originIn(file, path);
  }

  /** A problem with a flag or a variable. The value is not repeated: it may be a secret. */
  refuse(name: string, code: ConfigProblemCode, message: string, hint: string): void {
    this.problems.push({ code, file: name, line: 0, col: 0, message, hint });
  }

  /** A problem in a file. */
  refuseIn(file: SettingsFile, code: ConfigProblemCode, path: readonly string[], message: string, hint: string): void {
    if (file.source) this.problems.push(file.source.problem(code, path, message, hint));
  }
}

function readFiles(request: LoadConfigRequest, home: string): SettingsFile[] {
  const user = readSettingsFile("user", join(home, "config.yaml"));
  const { projectDir, projectText, projectFile } = request;
  if (projectText === undefined && projectDir === undefined) return [user];
  const path = projectText === undefined && projectDir !== undefined ? join(projectDir, "stepfall.yaml") : (projectFile ?? "stepfall.yaml");
  return [readSettingsFile("project", path, projectText), user];
}

function originIn(file: SettingsFile, path: readonly string[]): Origin {
  return { kind: file.kind, file: file.path, line: file.source?.place(path, "key").line ?? 0 };
}
