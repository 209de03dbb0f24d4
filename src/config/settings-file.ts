import type { ConfigProblem } from "./settings.ts";
import { SettingsShape, type Settings } from "./settings-schema.ts";
import { shapeProblems } from "./yaml/shape-problems.ts";
import { readTextFile } from "./yaml/text-file.ts";
import { MAX_YAML_BYTES, readYaml, type YamlSource } from "./yaml/yaml-source.ts";

/** One settings file, read. */
export interface SettingsFile {
  kind: "project" | "user";
  path: string;
  isThere: boolean;
  settings: Settings;
  source: YamlSource | undefined;
  problems: ConfigProblem[];
}

/**
 * Reads a settings file's text, or the file itself when no text is given. A missing one (text `null`) or an empty one
 * holds no settings.
 */
export function readSettingsFile(kind: SettingsFile["kind"], path: string, text?: string | null): SettingsFile {
  const none: SettingsFile = { kind, path, isThere: false, settings: {}, source: undefined, problems: [] };
  if (text === null) return none;
  if (text === undefined) {
    const file = readTextFile(path, MAX_YAML_BYTES);
    if (!file.ok) return { ...none, problems: file.problem.code === "FILE_MISSING" ? [] : [file.problem] };
    text = file.text;
  }
  const reading = readYaml(text, path);
  if (!reading.ok) return { ...none, isThere: true, problems: reading.problems };
  const { source } = reading;
  const problems: ConfigProblem[] = [...reading.problems];
  const isMap = typeof source.value === "object" && source.value !== null && !Array.isArray(source.value);
  if (!isMap && source.value !== null) {
    problems.push(source.problem("NOT_A_MAP", [], "The file is not a map of settings", "Write lines like `slots: 4`"));
    return { ...none, isThere: true, problems };
  }
  const parsed = SettingsShape.safeParse(source.value ?? {});
  if (!parsed.success) problems.push(...shapeProblems(source, [], parsed.error));
  return { ...none, isThere: true, settings: parsed.data ?? {}, source, problems };
}
