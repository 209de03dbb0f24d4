import { parse as parseJson, printParseErrorCode, type ParseError } from "jsonc-parser";
import { parse as parseToml, TomlError } from "smol-toml";
import { parseAllDocuments } from "yaml";
import { faultAt, faultOnLine, MOST_FAULTS, type Fault } from "./fault.ts";

export function jsonFaults(text: string, { comments }: { comments: boolean }): Fault[] {
  const errors: ParseError[] = [];
  parseJson(text.replace(/^\uFEFF/, " "), errors, { disallowComments: !comments, allowTrailingComma: comments });
  return errors.slice(0, MOST_FAULTS).map(({ offset, error }) => faultAt(text, offset, words(printParseErrorCode(error))));
}

/** `CommaExpected` as `comma expected`. */
const words = (code: string): string => code.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).toLowerCase();

export function yamlFaults(text: string): Fault[] {
  // Keys that come twice and tags of applications are not about syntax.
  const documents = parseAllDocuments(text, { uniqueKeys: false, logLevel: "silent", prettyErrors: false });
  return [...documents]
    .flatMap((document) => document.errors)
    .slice(0, MOST_FAULTS)
    .map(({ message, pos }) => faultAt(text, pos[0], message.split("\n", 1)[0] ?? ""));
}

export function tomlFaults(text: string): Fault[] {
  try {
    parseToml(text);
    return [];
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const message = (error.message.split("\n", 1)[0] ?? "").replace(/^Invalid TOML document: /, "");
    return [faultOnLine(text.split("\n"), error.line, message)];
  }
}
