import { dotted, named, type Path, type YamlSource } from "../config/index.ts";
import { compileJsonSchema } from "./json-schema.ts";
import type { PipelineProblem } from "./problem.ts";
import { isMap } from "./reading.ts";

/** What is wrong with a step's gates together, and with the step they stand in. */
export function gateProblems(source: YamlSource, path: Path): PipelineProblem[] {
  const gates = source.valueAt([...path, "gates"]);
  const seen = new Set<string>();
  return (Array.isArray(gates) ? gates : []).flatMap((gate: unknown, i) => {
    if (!isMap(gate)) return [];
    const at = [...path, "gates", String(i)];
    return [
      ...sameName(source, at, gate["name"], seen),
      ...uncovered(source, path, at, gate),
      ...badSchema(source, at, gate),
      ...badJudging(source, at, gate),
    ];
  });
}

function sameName(source: YamlSource, at: Path, name: unknown, seen: Set<string>): PipelineProblem[] {
  if (typeof name !== "string") return [];
  if (!seen.has(name)) return (seen.add(name), []);
  return [source.problem("BAD_VALUE", [...at, "name"], `Two gates are called ${named(name)}`, "Give each gate a name of its own")];
}

/** A coverage gate of a step that declares nothing would refuse every change. */
function uncovered(source: YamlSource, path: Path, at: Path, gate: Record<string, unknown>): PipelineProblem[] {
  if (!("coverage" in gate)) return [];
  const outputs = source.valueAt([...path, "outputs"]);
  const files: unknown = isMap(outputs) ? outputs["files"] : outputs;
  const isDeclared = (Array.isArray(files) && files.length > 0) || (isMap(outputs) && outputs["json"] !== undefined);
  if (isDeclared) return [];
  const message = "The step declares no outputs that `coverage` could look at";
  return [source.problem("BAD_VALUE", [...at, "coverage"], message, "Add `outputs: [path]`, or remove the gate", "key")];
}

/** Criteria that findings could not tell apart; a stronger judge who is asked already. */
function badJudging(source: YamlSource, at: Path, gate: Record<string, unknown>): PipelineProblem[] {
  const { judge } = gate;
  if (!isMap(judge)) return [];
  const problems: PipelineProblem[] = [];
  const { rubric, judges, stronger } = judge;
  const ids = (Array.isArray(rubric) ? rubric : []).map((one: unknown, i) =>
    isMap(one) && typeof one["id"] === "string" ? one["id"] : String(i + 1),
  );
  for (const [i, id] of ids.entries()) {
    if (ids.indexOf(id) === i) continue;
    const hint = "Give each criterion an id of its own; without one it is called by its number";
    problems.push(source.problem("BAD_VALUE", [...at, "judge", "rubric", String(i)], `Two criteria are called ${named(id)}`, hint));
  }
  if (typeof stronger === "string" && [judges].flat().includes(stronger))
    problems.push(
      source.problem(
        "BAD_VALUE",
        [...at, "judge", "stronger"],
        `${named(stronger)} is among the judges already`,
        "Name another agent, or none",
      ),
    );
  return problems;
}

function badSchema(source: YamlSource, at: Path, gate: Record<string, unknown>): PipelineProblem[] {
  const place = [...at, "schema", "schema"];
  const schema = isMap(gate["schema"]) ? gate["schema"]["schema"] : undefined;
  return isMap(schema) ? jsonSchemaProblems(source, place, schema) : [];
}

/** A JSON Schema, written where `path` says, that is none. */
export function jsonSchemaProblems(source: YamlSource, path: Path, schema: Record<string, unknown>): PipelineProblem[] {
  const compiled = compileJsonSchema(schema);
  if (compiled.ok) return [];
  const message = `${dotted(path)}this is not a valid JSON Schema: ${compiled.message.slice(0, 300)}`;
  return [source.problem("BAD_JSON_SCHEMA", path, message, "Correct it (draft 7, 2019-09 or 2020-12)")];
}
