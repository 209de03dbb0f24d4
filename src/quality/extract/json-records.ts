/** One file or edit that JSON speaks of. `offset`: where in the text it begins, when that is known. */
export type JsonRecord = { file?: string; path?: string; offset?: number } & (
  | { kind: "write"; content: string | undefined; why?: string }
  | { kind: "replace"; search: string; replace: string }
  | { kind: "delete" }
);

export const FILE_KEYS = ["file", "filename", "fileName", "file_name", "name"];
export const PATH_KEYS = ["path", "file_path", "filePath", "filepath", "target_file", "relative_path", "abs_path"];
export const CONTENT_KEYS = [
  "content",
  "contents",
  "code",
  "file_text",
  "text",
  "new_content",
  "file_content",
  "source",
  "body",
  "code_edit",
];
const SEARCH_KEYS = ["old_str", "old_string", "oldString", "old_text", "search", "find", "original"];
const REPLACE_KEYS = ["new_str", "new_string", "newString", "new_text", "replace", "replacement", "updated"];
const ARGUMENT_KEYS = ["arguments", "args", "input", "parameters", "params", "tool_input"];

type Obj = Record<string, unknown>;

/** Everything about files in a parsed value. Depth is bounded; a tool that reads or runs is no edit. */
export function recordsOf(value: unknown, depth = 0): JsonRecord[] {
  if (depth > 12) return [];
  if (Array.isArray(value)) return value.flatMap((each) => recordsOf(each, depth + 1));
  if (typeof value !== "object" || value === null) return [];
  const object = value as Obj;
  const call = toolCall(object);
  if (call) return call.name !== undefined && READS.test(call.name) ? [] : recordsOf(named(call), depth + 1);
  const own = recordOf(object);
  if (own) return [own, ...nested(object, depth)];
  const map = pathMap(object);
  return map ?? nested(object, depth);
}

const READS = /^(?:read|view|open|list|ls|search|grep|glob|find|run|exec|execute|shell|bash|cat|fetch|get)/i;
const DELETES = /^(?:delete|remove|rm)_?(?:file)?$/i;

const nested = (object: Obj, depth: number): JsonRecord[] =>
  Object.values(object).flatMap((each) => (typeof each === "object" ? recordsOf(each, depth + 1) : []));

/** `{name, arguments}` in its spellings. Arguments may be JSON in a string. */
function toolCall(object: Obj): { name: string | undefined; input: Obj } | undefined {
  const inner = object["function"];
  if (typeof inner === "object" && inner !== null && !Array.isArray(inner)) return toolCall(inner as Obj);
  const key = ARGUMENT_KEYS.find((each) => each in object);
  const name = object["name"] ?? object["tool"] ?? object["tool_name"] ?? object["action"] ?? inner;
  if (key === undefined || typeof name !== "string") return undefined;
  let input = object[key];
  if (typeof input === "string") {
    try {
      input = JSON.parse(input);
    } catch {
      return undefined;
    }
  }
  return typeof input === "object" && input !== null && !Array.isArray(input) ? { name, input: input as Obj } : undefined;
}

const named = ({ name, input }: { name: string | undefined; input: Obj }): Obj =>
  name !== undefined && DELETES.test(name) ? { ...input, command: "delete" } : input;

function recordOf(object: Obj): JsonRecord | undefined {
  const file = stringAt(object, FILE_KEYS);
  const path = stringAt(object, PATH_KEYS);
  if (file === undefined && path === undefined) return undefined;
  const command = object["command"];
  if (typeof command === "string" && READS.test(command)) return undefined;
  const at = { ...(file === undefined ? {} : { file }), ...(path === undefined ? {} : { path }) };
  if (typeof command === "string" && DELETES.test(command)) return { kind: "delete", ...at };
  const search = stringAt(object, SEARCH_KEYS);
  const replace = stringAt(object, REPLACE_KEYS);
  if (search !== undefined && replace !== undefined) return { kind: "replace", search, replace, ...at };
  return { kind: "write", content: stringAt(object, CONTENT_KEYS), ...at };
}

const stringAt = (object: Obj, keys: readonly string[]): string | undefined => {
  const key = keys.find((each) => typeof object[each] === "string");
  return key === undefined ? undefined : (object[key] as string);
};

/** `{"src/a.ts": "...", "src/b.ts": "..."}`: every key a path with a folder or a known name, every value a text of lines. */
function pathMap(object: Obj): JsonRecord[] | undefined {
  const entries = Object.entries(object);
  if (entries.length === 0) return undefined;
  const isMap = entries.every(
    ([key, value]) => typeof value === "string" && /^[^\s:*?]+\.[A-Za-z][A-Za-z0-9]{0,7}$/.test(key) && value.includes("\n"),
  );
  return isMap ? entries.map(([path, content]) => ({ kind: "write", path, content: content as string })) : undefined;
}
