import { z } from "zod";

/** How the outcome of each test is told: by a report, or by the exit code alone, which names none. */
export const TestReport = z.enum(["junit", "tap", "json", "go", "exit-code"]);
export type TestReport = z.infer<typeof TestReport>;

const gate = <K extends string, S extends z.core.$ZodLooseShape>(kind: K, shape: S) =>
  z.object({ kind: z.literal(kind), name: z.string(), ...shape });

const globs = z.array(z.string());
const timeoutMs = z.number().int().positive();

/** A check that decides whether an attempt is accepted. Each is explained in docs/gates.md. */
export const Gate = z.discriminatedUnion("kind", [
  /** A shell command run in a clean checkout of the attempt's commit; exit 0 accepts. */
  gate("command", { command: z.string(), timeoutMs }),
  /** Paths (globs) that must exist in the attempt's commit. */
  gate("files", { files: globs }),
  /** How much, and where, the attempt may change. */
  gate("diff", {
    mostFiles: z.number().int().nonnegative().optional(),
    /** Added and removed together. */
    mostLines: z.number().int().nonnegative().optional(),
    /** Absent: anywhere. */
    allowed: globs.optional(),
    forbidden: globs.optional(),
  }),
  /** Every declared output is this attempt's work, and nothing else is: beside `outputs` and `touches` only `allowed` may change. */
  gate("coverage", { allowed: globs }),
  /** JSON and YAML files that satisfy a JSON Schema, written here or in a file of the commit the attempt started from. */
  gate("schema", {
    files: globs,
    schema: z.union([z.object({ file: z.string() }), z.object({ inline: z.record(z.string(), z.unknown()) })]),
  }),
  /** Tests that passed at the commit the attempt started from still pass. */
  gate("regression", {
    command: z.string(),
    report: TestReport,
    /** Globs of the files that the command writes its report to. Absent: it prints the report. */
    reportFiles: globs.optional(),
    /** Of one of the command's runs: at most three are made. */
    timeoutMs,
  }),
  /** What was changed can still be parsed. */
  gate("syntax", {
    /** Absent: every changed file of a known language. */
    files: globs.optional(),
    except: globs,
  }),
  /** Models score the work against criteria. */
  gate("judge", {
    criteria: z.array(z.object({ id: z.string(), text: z.string(), passAt: z.number().optional() })),
    /** The lowest accepted score of a criterion that says nothing else, 0 to 10. */
    passAt: z.number().optional(),
    /** Ids of agents whose models are asked, or tiers. Empty: the cheapest that did not do the work. */
    judges: z.array(z.string()),
    /** The same, asked where the others do not settle it. Absent: the dearest other. */
    stronger: z.string().optional(),
    timeoutMs,
  }),
]);
export type Gate = z.infer<typeof Gate>;
export type GateOf<K extends Gate["kind"]> = Extract<Gate, { kind: K }>;
