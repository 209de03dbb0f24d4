/** A tool call of Claude Code in a few words, for people. A tool that is not known goes by its own name. */
export function labelOfTool(name: string, input: unknown): string {
  const of = (key: string): string => {
    const value = input !== null && typeof input === "object" ? (input as Record<string, unknown>)[key] : undefined;
    return typeof value === "string" ? short(value) : "";
  };
  switch (name) {
    case "Read":
      return `read ${of("file_path")}`;
    case "Write":
      return `write ${of("file_path")}`;
    case "Edit":
    case "MultiEdit":
      return `edit ${of("file_path")}`;
    case "NotebookEdit":
      return `edit ${of("notebook_path")}`;
    case "Bash":
      return `run ${of("command")}`;
    case "Grep":
    case "Glob":
      return `search ${of("pattern")}`;
    case "WebFetch":
      return `fetch ${of("url")}`;
    case "WebSearch":
      return `search the web for ${of("query")}`;
    case "Task":
    case "Agent":
      return `ask a sub-agent: ${of("description")}`;
    default:
      return `use ${name}`;
  }
}

export function short(text: string, most = 120): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > most ? `${line.slice(0, most)}...` : line;
}
