/**
 * Values of environment variables with placeholders, `postgres://localhost:5432/app_${NAME}`: filled in for every attempt, and never
 * seen by a shell. `$${` stands for `${` as it is; any other `$` is a plain character.
 */

/** What `${...}` may name, beside `PORT`, `PORT_2` and so on. */
export const ENV_PLACEHOLDERS = {
  NAME: "short and unique, fit for a database and for a host name",
  ATTEMPT: "the attempt's id",
  RUN: "the run's id",
  STEP: "the step's path",
  TMP: "the place's own folder for temporary files",
  HOME: "the place's own HOME",
  TREE: "the folder its commands run in",
} as const;

export type EnvPlaceholder = keyof typeof ENV_PLACEHOLDERS;
type Part = { kind: "text"; text: string } | { kind: "value"; name: EnvPlaceholder } | { kind: "port"; n: number };
export type EnvTemplateFault = { placeholder: string; port?: number };
export type ParsedEnvTemplate = { ok: true; parts: Part[] } | { ok: false; fault: EnvTemplateFault };

/** `ports`: how many there are. A placeholder nobody knows, or one of a port that is not there, is a fault. */
export function parseEnvTemplate(text: string, ports: number): ParsedEnvTemplate {
  const parts: Part[] = [];
  const plain = (piece: string): void => {
    const last = parts.at(-1);
    if (last?.kind === "text") last.text += piece;
    else if (piece !== "") parts.push({ kind: "text", text: piece });
  };
  let from = 0;
  for (const found of text.matchAll(/\$\$\{|\$\{([^}]*)(\}|$)/g)) {
    plain(text.slice(from, found.index));
    from = found.index + found[0].length;
    const [whole, name = "", close] = found;
    if (whole === "$${") {
      plain("${");
      continue;
    }
    const port = /^PORT(?:_([1-9]\d{0,2}))?$/.exec(name);
    if (close !== "}") return { ok: false, fault: { placeholder: whole } };
    if (port) {
      const n = port[1] === undefined ? 1 : Number(port[1]);
      if (n > ports) return { ok: false, fault: { placeholder: whole, port: n } };
      parts.push({ kind: "port", n });
    } else if (Object.hasOwn(ENV_PLACEHOLDERS, name)) parts.push({ kind: "value", name: name as EnvPlaceholder });
    else return { ok: false, fault: { placeholder: whole } };
  }
  plain(text.slice(from));
  return { ok: true, parts };
}

/** The value for one place. What the settings refuse cannot come here: a faulty template is left as it is. */
export function fillEnvTemplate(text: string, values: Readonly<Record<EnvPlaceholder, string>> & { ports: readonly number[] }): string {
  const parsed = parseEnvTemplate(text, values.ports.length);
  if (!parsed.ok) return text;
  return parsed.parts
    .map((part) => {
      switch (part.kind) {
        case "text":
          return part.text;
        case "value":
          return values[part.name];
        case "port":
          return String(values.ports[part.n - 1]);
        default:
          return part satisfies never;
      }
    })
    .join("");
}
