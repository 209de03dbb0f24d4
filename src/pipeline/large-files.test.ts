import { expect, test } from "vitest";
import { formatProblems, parsePipeline } from "./index.ts";

/** Processor time, milliseconds: the clock on the wall also measures who else uses the machine. */
const cpuMs = (): number => process.cpuUsage().user / 1000;

test("a file as large as may be has its answer within seconds", () => {
  const step = (i: number, more: string): string => ` s${i}: {prompt: x, ${more}}\n`;
  const many = (n: number, more: (i: number) => string): string =>
    `steps:\n${Array.from({ length: n }, (_, i) => step(i, more(i))).join("")}`;
  const texts = {
    schemas: many(9000, (i) => `outputs: {json: {file: a, schema: {type: object, title: t${i}}}}`),
    unknownNeeds: many(9000, (i) => `readonly: true, needs: [t${i}, u${i}]`),
    unknownKeys: many(9000, (i) => `redonly: true, xx${i}: 1, promptt: 2, tiemout: 1`),
    dense: many(100, (i) => `readonly: true, needs: [${Array.from({ length: i }, (_, j) => `s${j}`).join(",")}]`),
    knot: many(400, () => `readonly: true, needs: [${Array.from({ length: 400 }, (_, j) => `s${j}`).join(",")}]`),
  };
  for (const [name, text] of Object.entries(texts)) {
    const start = cpuMs();
    const parsed = parsePipeline(text, "large.yaml");
    if (!parsed.ok) formatProblems(parsed.problems, text);
    expect(cpuMs() - start, name).toBeLessThan(20_000);
  }
});
