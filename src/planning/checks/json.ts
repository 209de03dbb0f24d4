/** JSON that tools write, with the comments and trailing commas that some of them allow; undefined when it is none. */
export function parseJson(text: string): unknown {
  for (const candidate of [text, plain(text)]) {
    try {
      return JSON.parse(candidate) as unknown;
    } catch {
      // Perhaps it has comments; else it is none.
    }
  }
  return undefined;
}

const STRING_OR_COMMENT = /("(?:\\.|[^"\\])*")|\/\/[^\n]*|\/\*[^]*?\*\//g;
const STRING_OR_COMMA = /("(?:\\.|[^"\\])*")|,(?=\s*[}\]])/g;
const plain = (text: string): string =>
  text
    .replace(/^\uFEFF/, "")
    .replace(STRING_OR_COMMENT, (_, string?: string) => string ?? "")
    .replace(STRING_OR_COMMA, (_, string?: string) => string ?? "");

export const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The entries of a map that are texts. */
export const textsOf = (value: unknown): Map<string, string> =>
  new Map(isMap(value) ? Object.entries(value).flatMap(([key, text]) => (typeof text === "string" ? [[key, text] as const] : [])) : []);
