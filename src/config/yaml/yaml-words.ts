import type { ErrorCode } from "yaml";
import type { ReadingCode } from "./problem.ts";

interface PlainWords {
  code: ReadingCode;
  message: string;
  hint: string;
}

/** What the YAML parser complains about, in words for somebody who does not know YAML's grammar. */
export function yamlInPlainWords(code: ErrorCode, original: string): PlainWords {
  const syntax = (message: string, hint: string): PlainWords => ({ code: "YAML_SYNTAX", message, hint });
  switch (code) {
    case "TAB_AS_INDENT":
      return {
        code: "YAML_TAB",
        message: "A tab is used for indentation; YAML allows only spaces",
        hint: "Replace it with spaces",
      };
    case "MULTIPLE_DOCS":
      return {
        code: "YAML_SEVERAL_DOCUMENTS",
        message: "The file holds several YAML documents, separated by `---`",
        hint: "Keep one document in a file",
      };
    case "RESOURCE_EXHAUSTION":
      return { code: "YAML_TOO_DEEP", message: "The values are nested too deeply", hint: "Nest them less deeply" };
    case "TAG_RESOLVE_FAILED":
    case "BAD_COLLECTION_TYPE":
      return {
        code: "YAML_TAG",
        message: "A tag (a word that begins with `!`) is used; tags mean nothing here",
        hint: "Remove the tag, or put the value in quotes",
      };
    case "BAD_INDENT":
      return /terminated|same column|indentation/i.test(original) && !/flow/i.test(original)
        ? syntax("The indentation does not fit the lines above", "Indent keys of one map, and items of one list, to the same column")
        : syntax("A bracket, brace or quote is not closed, or its lines are indented too little", "Close it, or indent what is inside");
    case "BLOCK_AS_IMPLICIT_KEY":
      return syntax("There is a second `:` on this line", "Put a value that holds `: ` in quotes, or start a new line");
    case "MULTILINE_IMPLICIT_KEY":
      return syntax("A key goes over several lines, or its `:` is missing", "Write `key: value` on one line");
    case "MISSING_CHAR":
      if (/closing/.test(original)) return syntax("A quote is opened and not closed", "Add the closing quote");
      if (/Implicit map keys/.test(original))
        return syntax("A `:` is missing after the key", "Write `key: value`, with a space after the colon");
      if (/Sequence item/.test(original)) return syntax("A `-` is missing before the list item", "Begin each item of the list with `- `");
      if (/Missing ,|, or :|space after/.test(original))
        return syntax("A comma or colon is missing between the items", "Separate the items with commas and write `key: value`");
      if (/flow/i.test(original)) return syntax("A bracket or brace is opened and not closed", "Add the closing `]` or `}`");
      if (/Comments must/.test(original))
        return syntax("A `#` follows a value without a space", "Put a space before `#`, or the value in quotes");
      return syntax("Something is missing here", "Look for a missing quote, bracket, `:` or `-` on this line or the one above");
    case "BAD_SCALAR_START":
      return syntax("A value begins with a character that YAML keeps for itself", "Put the value in quotes");
    case "BAD_DQ_ESCAPE":
      return syntax("There is an unknown `\\` escape inside double quotes", "Write `\\\\` for a backslash, or use single quotes");
    case "BAD_ALIAS":
    case "ALIAS_PROPS":
      return {
        code: "YAML_ALIAS",
        message: "An alias (`*name`) has no anchor (`&name`) above it, or is written wrongly",
        hint: "Put the value in quotes if it should begin with `*` or `&`",
      };
    case "KEY_OVER_1024_CHARS":
      return syntax("A key is longer than 1024 characters", "Shorten it; perhaps a quote is missing");
    case "DUPLICATE_KEY":
      return { code: "DUPLICATE_KEY", message: "A key is given twice", hint: "Remove one of the two" };
    case "NON_STRING_KEY":
      return { code: "KEY_NOT_TEXT", message: "A key is not text", hint: "Use a plain word as key" };
    case "BLOCK_IN_FLOW":
      return syntax("A list or map on lines of its own stands inside brackets", "Use either brackets or indented lines, not both");
    case "MULTIPLE_ANCHORS":
    case "MULTIPLE_TAGS":
    case "BAD_PROP_ORDER":
    case "BAD_DIRECTIVE":
    case "UNEXPECTED_TOKEN":
    case "IMPOSSIBLE":
      return syntax(
        "This is not valid YAML here",
        "Look for a stray quote, bracket or character; put text with special characters in quotes",
      );
    default:
      code satisfies never;
      return syntax("This is not valid YAML", "Look at this line and the one above");
  }
}
