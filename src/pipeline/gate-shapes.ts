import { z } from "zod";
import { CommandText, duration, expecting, FilePath, Glob as PlainGlob, Id, keyed, refuse } from "../config/index.ts";
import { TestReport } from "../domain/index.ts";
import {
  coverageWords,
  criterionWords,
  diffWords,
  GATE_KINDS,
  gateWords,
  judgeWords,
  regressionWords,
  schemaWords,
  syntaxWords,
  type GateKind,
} from "./gate-words.ts";
import { templated } from "./texts-shape.ts";

/** Gates as people write them; docs/gates.md explains each. */

const Glob = templated(PlainGlob);
const Globs = z.array(Glob).min(1);
const Name = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[^\r\n]*$/, "Write the name on one line");

/** How a kind of gate is written that is no command and stands alone as a word. */
const exampleOf: Readonly<Partial<Record<GateKind, string>>> = {
  diff: "diff: { max-files: 5 }",
  coverage: "coverage: true",
  schema: "schema: { files: [data.json], schema: data.schema.json }",
  regression: "regression: npm test",
  syntax: "syntax: true",
  judge: "judge: It does what was asked for",
};

const CommandAlone = CommandText.superRefine((text, ctx) => {
  const word = text.trim();
  const kind = GATE_KINDS.find((known) => known === word);
  const example = kind && exampleOf[kind];
  if (example !== undefined)
    refuse(ctx, "BAD_VALUE", `\`${word}\` alone would be run as a command`, `Write \`- ${example}\`, or \`- command: ${word}\``);
});

/** A gate of one kind. */
const gate = <S extends z.core.$ZodLooseShape>(kind: GateKind, shape: S) => keyed({ ...shape, name: Name.optional() }, gateWords(kind));
const timeout = duration(1).optional().describe("Of one run of the command; default 10m");

const Limit = z.int().min(0).max(1_000_000_000);
const Diff = keyed(
  {
    "max-files": Limit.optional().describe("Most files that may change"),
    "max-lines": Limit.optional().describe("Most lines that may change, added and removed together"),
    allow: Globs.optional().describe("Only what matches may change"),
    forbid: Globs.optional().describe("What matches may not change"),
  },
  diffWords,
).superRefine((fields, ctx) => {
  if (Object.keys(fields).length === 0 && ctx.issues.length === 0)
    refuse(ctx, "BAD_VALUE", "the diff gate allows everything", "Add max-files, max-lines, allow or forbid");
});

const Coverage = z
  .union(
    [z.literal(true), keyed({ allow: Globs.optional().describe("What may change beside outputs and touches") }, coverageWords)],
    expecting("true, or a map with allow"),
  )
  .transform((fields) => (fields === true ? {} : fields));

const Schema = keyed(
  {
    files: z.union([Glob, Globs], expecting("a glob or a list of them")).describe("JSON and YAML files; at least one must be there"),
    schema: z
      .union([FilePath, z.record(z.string(), z.unknown())], expecting("a JSON Schema, or the path of a file that holds one"))
      .describe("A JSON Schema, or the path of a file of the commit that the attempt starts from"),
  },
  schemaWords,
);

/** What a report's file is when nobody says. */
const formatByEnding = { xml: "junit", tap: "tap", json: "json" } as const;
const formatOf = (glob: string): TestReport | undefined => {
  const ending = glob.slice(glob.lastIndexOf(".") + 1).toLowerCase();
  return Object.hasOwn(formatByEnding, ending) ? formatByEnding[ending as keyof typeof formatByEnding] : undefined;
};

const Regression = z
  .union(
    [
      CommandText,
      keyed(
        {
          command: CommandText.describe("Runs the project's tests"),
          format: TestReport.optional().describe("How the outcome of each test is told; default: by the report's ending, else exit-code"),
          report: z
            .union([Glob, Globs], expecting("a glob or a list of them"))
            .optional()
            .describe("Files that the command writes its report to; default: it prints the report"),
        },
        regressionWords,
      ),
    ],
    expecting("a command, or a map with command, format and report"),
  )
  .transform((fields, ctx) => {
    if (typeof fields === "string") return { command: fields, format: "exit-code" as const };
    const { command, report } = fields;
    const files = report === undefined ? undefined : [report].flat();
    const format = fields.format ?? (files ? formatOf(files[0] ?? "") : ("exit-code" as const));
    if (format === undefined)
      return refuse(ctx, "MISSING_KEY", "nothing tells what the report's format is", "Add `format: junit`, tap, json or go", ["report"]);
    if (format === "exit-code" && files)
      return refuse(ctx, "BAD_VALUE", "a report has no effect with `format: exit-code`", "Remove `report`, or write the report's format", [
        "report",
      ]);
    return { command, format, ...(files ? { report: files } : {}) };
  });

const Syntax = z
  .union(
    [
      z.literal(true),
      Globs,
      keyed(
        { files: Globs.optional(), except: Globs.optional().describe("Files that are broken on purpose, such as samples for tests") },
        syntaxWords,
      ),
    ],
    expecting("true, a list of globs, or a map with files and except"),
  )
  .transform((fields) => (fields === true ? {} : Array.isArray(fields) ? { files: fields } : fields))
  .describe("Changed files that must still be parsed; true: all of known languages");

const Score = z.number().min(0).max(10);
/** What a judge looks for: a sentence of its own, so that it may be long, and hold expressions. */
const Looked = z.string().superRefine((text, ctx) => {
  if (text.trim() === "") refuse(ctx, "BAD_VALUE", "the criterion is empty", "Say what the judges should look for");
});
const Criterion = z.union(
  [
    Looked,
    keyed(
      {
        id: Id.optional().describe("A short word for it, in findings; default: its number"),
        text: Looked,
        "at-least": Score.optional().describe("The lowest accepted score of this one"),
      },
      criterionWords,
    ),
  ],
  expecting("a sentence, or a map with id, text and at-least"),
);
export const JudgeNames = z.union([Id, z.array(Id).min(1).max(5)], expecting("an agent's id, a tier, or a list of them"));
const Judge = z
  .union(
    [
      Looked,
      keyed(
        {
          rubric: z
            .union([Looked, z.array(Criterion).min(1).max(20)], expecting("a sentence, or a list of criteria"))
            .describe("What the judges look for"),
          judges: JudgeNames.optional().describe(
            "Agents whose models are asked, or a tier; default: the cheapest that did not do the work",
          ),
          stronger: Id.optional().describe("Who is asked where the judges do not settle it; default: the dearest other agent"),
          "at-least": Score.optional().describe("The lowest accepted score of each criterion, 0 to 10; default 7"),
        },
        judgeWords,
      ),
    ],
    expecting("what the judges look for, or a map with rubric, judges, stronger and at-least"),
  )
  .transform((fields) => (typeof fields === "string" ? { rubric: fields } : fields))
  .describe("Models score the work against a rubric");

export const GateShape = z.union(
  [
    CommandAlone,
    gate("command", { command: CommandText, timeout }),
    gate("files", { files: Globs.describe("Globs that must match something in the result") }),
    gate("diff", { diff: Diff.describe("How much, and where, an attempt may change") }),
    gate("coverage", { coverage: Coverage.describe("Every declared output is this attempt's work, and nothing else changed") }),
    gate("schema", { schema: Schema.describe("JSON and YAML files that satisfy a JSON Schema") }),
    gate("regression", { regression: Regression.describe("Tests that passed before still pass"), timeout }),
    gate("syntax", { syntax: Syntax }),
    gate("judge", { judge: Judge, timeout: timeout.describe("Until all judges have answered; default 10m") }),
  ],
  expecting(`a command, or a map with one of ${GATE_KINDS.join(", ")}`),
);
export type GateFields = z.output<typeof GateShape>;
