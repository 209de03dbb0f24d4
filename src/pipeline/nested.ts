import { existsSync, realpathSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve } from "node:path";
import { MAX_YAML_BYTES, named, readTextFile, shown, type Path } from "../config/index.ts";
import type { PipelineProblem } from "./problem.ts";
import { DEEPEST_NESTING, MOST_STEPS, type NestedReader, type Reading, type ReadPipeline } from "./reading.ts";
import { readSteps } from "./steps.ts";

/** Reads the text of one file as a pipeline. Handed in: a file may name others. */
export type ReadText = (
  text: string,
  file: string,
  nested: NestedReader,
  depth: number,
  isRepeated: boolean,
) => {
  problems: PipelineProblem[];
  read?: ReadPipeline;
};

/** Files between the outermost and the one being read: their real paths. */
interface Chain {
  file: string;
  real: string;
  above?: Chain | undefined;
}

interface Shared {
  readText: ReadText;
  /** Files outside it are not read. */
  project: string;
  /** By real path and whether `round` may be used. */
  cache: Map<string, ReturnType<NestedReader["file"]>>;
  counted: { steps: number };
}

/** Steps in place only; a file that is named is answered as out of reach. */
export function nestedInText(): NestedReader {
  return new Nested(undefined, undefined);
}

/** For the file at `path`: others are read from disk, as long as they lie inside its project. */
export function nestedFromFile(path: string, readText: ReadText, project?: string): NestedReader {
  const real = realPath(resolve(path)) ?? resolve(path);
  const root = project === undefined ? projectOf(real) : (realPath(resolve(project)) ?? resolve(project));
  return new Nested({ file: path, real }, { readText, project: root, cache: new Map(), counted: { steps: 0 } });
}

class Nested implements NestedReader {
  readonly #chain: Chain | undefined;
  readonly #shared: Shared | undefined;
  readonly #counted: { steps: number };

  constructor(chain: Chain | undefined, shared: Shared | undefined) {
    this.#chain = chain;
    this.#shared = shared;
    this.#counted = shared?.counted ?? { steps: 0 };
  }

  count(steps: number): boolean {
    this.#counted.steps += steps;
    return this.#counted.steps <= MOST_STEPS;
  }

  inPlace(reading: Reading, path: Path): ReturnType<NestedReader["inPlace"]> {
    if (reading.depth > DEEPEST_NESTING) return { problems: [tooDeep(reading, path)] };
    const { problems, steps } = readSteps(reading, path);
    return steps ? { problems, pipeline: { name: String(path.at(-2) ?? "steps"), steps } } : { problems };
  }

  file(reading: Reading, path: Path, name: string, isRepeated: boolean): ReturnType<NestedReader["file"]> {
    const { source } = reading;
    const at = [...path, "pipeline"];
    const no = (code: PipelineProblem["code"], message: string, hint: string): { problems: PipelineProblem[] } => ({
      problems: [source.problem(code, at, message, hint)],
    });
    if (reading.depth + 1 > DEEPEST_NESTING) return { problems: [tooDeep(reading, at)] };
    if (!this.#shared || !this.#chain)
      return no(
        "NESTED_OUTSIDE",
        `${named(name)} cannot be read: this pipeline is not a file of a project`,
        "Write the steps in place, under `steps`",
      );
    if (name.includes("${{")) return no("EXPRESSION_NOT_HERE", "A nested pipeline is read before the run begins", "Name one file");
    if (isAbsolute(name) || name.startsWith("~"))
      return no("NESTED_OUTSIDE", `${named(name)} is no path from this file`, "Write it like ./other.yaml");
    const target = join(dirname(this.#chain.file), name);
    const real = realPath(resolve(target));
    if (real === undefined)
      return no("FILE_MISSING", `There is no file ${named(name)} beside this one`, "Check the path: it begins at this file's folder");
    const inside = relative(this.#shared.project, real);
    if (inside === "" || inside.startsWith("..") || isAbsolute(inside))
      return no("NESTED_OUTSIDE", `${named(name)} lies outside the project`, "Move it into the project");
    const chain: Chain = { file: target, real, above: this.#chain };
    const cycle = cycleOf(chain);
    if (cycle) return no("NESTED_CYCLE", cycle, "Remove one of these");
    return this.#read(reading, path, chain, isRepeated);
  }

  #read(reading: Reading, path: Path, chain: Chain, isRepeated: boolean): ReturnType<NestedReader["file"]> {
    const shared = this.#shared as Shared;
    // What lies deeper may be too deep from here.
    const key = `${reading.depth} ${String(isRepeated)} ${chain.real}`;
    const known = shared.cache.get(key);
    if (known) {
      const isRoom = this.count(known.read?.pipeline.steps.length ?? 0);
      return isRoom
        ? known
        : {
            problems: [
              reading.source.problem("TOO_MANY_STEPS", path, `At most ${MOST_STEPS} steps are allowed, nested ones too`, "Nest less"),
            ],
          };
    }
    const text = readTextFile(chain.file, MAX_YAML_BYTES);
    if (!text.ok) {
      const { code, message, hint } = text.problem;
      return { problems: [reading.source.problem(code, [...path, "pipeline"], message, hint)] };
    }
    const found = shared.readText(text.text, chain.file, new Nested(chain, shared), reading.depth + 1, isRepeated);
    shared.cache.set(key, found);
    return found;
  }
}

const tooDeep = (reading: Reading, path: Path): PipelineProblem =>
  reading.source.problem("NESTED_TOO_DEEP", path, `Pipelines are nested more than ${DEEPEST_NESTING} deep`, "Nest them less deeply");

/** `a.yaml -> b.yaml -> a.yaml`, when the innermost file is already open. */
function cycleOf(chain: Chain): string | undefined {
  const files = [chain.file];
  for (let at = chain.above; at; at = at.above) {
    files.unshift(at.file);
    if (at.real === chain.real) return files.map((file) => shown(file, 100)).join(" -> ");
  }
  return undefined;
}

/** The nearest folder above that git or Stepfall calls a project; else the file's own. */
function projectOf(file: string): string {
  const own = dirname(file);
  for (let at = own; ; at = dirname(at)) {
    if (existsSync(join(at, ".git")) || existsSync(join(at, "stepfall.yaml"))) return at;
    if (at === dirname(at)) return own;
  }
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
