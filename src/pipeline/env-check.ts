import { dotted, looksLikeSecretName, looksLikeSecretValue, named, shown, type Path, type YamlSource } from "../config/index.ts";
import { parseTemplate } from "./expression/template.ts";
import type { PipelineProblem } from "./problem.ts";

/** Environment variables with names no shell has, or with a secret written out. */
export function envProblems(source: YamlSource, path: Path): PipelineProblem[] {
  return source.keys(path).flatMap((name): PipelineProblem[] => {
    const at = [...path, name];
    const value = source.valueAt(at);
    if (!/^[A-Za-z_]\w*$/.test(name)) {
      return [
        source.problem(
          "BAD_ID",
          at,
          `${dotted(path)}${named(name)} is not the name of an environment variable`,
          "Use letters, digits and `_`, not beginning with a digit",
          "key",
        ),
      ];
    }
    // `Bearer ${{ secrets.TOKEN }}` is a secret by name; what is written beside it must not be one.
    const parsed = typeof value === "string" ? parseTemplate(value) : undefined;
    const isFilled = parsed?.ok === true && parsed.parts.some((part) => part.kind !== "text");
    const isSecret =
      value !== "" &&
      value !== null &&
      ((looksLikeSecretName(name) && !isFilled) || (typeof value === "string" && looksLikeSecretValue(value)));
    if (!isSecret) return [];
    const hint = `Remove it: a pipeline is kept in git. Write \`secrets: [${shown(name, 40)}]\` at the top and \`\${{ secrets.${shown(name, 40)} }}\` here`;
    return [source.problem("LITERAL_SECRET", at, `${dotted(path)}${named(name)} looks like a secret written out`, hint, "key")];
  });
}

/** A map or a list is no value of a variable, which its shape says; `String` of one may even throw (`{ toString: null }`). */
const scalarText = (value: unknown): string => (typeof value === "object" && value !== null ? "" : String(value));

/** Variables as they are spelt: `1.10` stays `1.10`, though YAML reads the number 1.1. */
export function envAt(source: YamlSource, path: Path): Record<string, string> {
  return Object.fromEntries(
    source.keys(path).map((name) => {
      const value = source.valueAt([...path, name]);
      return [name, typeof value === "string" ? value : (source.spelling([...path, name]) ?? scalarText(value))];
    }),
  );
}
