// A pipeline in TypeScript: what one step leaves has a type in the next. `node release.ts` prints it as YAML, which `stepfall run` takes;
// `node release.ts PROJECT` runs it there, with the agents of the project's stepfall.yaml.
import { input, json, pipeline, Stepfall, when } from "stepfall";
import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";

const Plan = z.object({
  title: z.string(),
  risk: z.enum(["low", "high"]),
  changes: z.array(z.object({ file: z.string(), what: z.string() })).max(10),
});

const release = pipeline(
  "release",
  {
    description: "Plans a release, makes each change by itself, and asks before it is risky",
    budget: 2,
    inputs: { version: input.string(), test: input.string({ default: "npm test", description: "How the project is tested" }) },
  },
  ({ inputs, agent, approve, command, forEach }) => {
    const plan = agent("plan", {
      prompt: `Plan what version ${inputs.version} still needs: at most ten changes, each to a file of its own. Judge the risk.`,
      agent: { tier: "mid" },
      output: json("release.json", Plan),
    });
    const approved = approve("risk", {
      title: `${plan.output.title}: go on although the risk is high?`,
      if: when.equal(plan.output.risk, "high"),
      expires: "2d",
    });
    const changes = forEach("change", plan.output.changes, (change) => ({
      prompt: `In ${change.file}: ${change.what}`,
      touches: [change.file],
      outputs: [change.file],
      needs: approved,
      // Where nobody had to be asked, it goes on; where somebody said no, it does not.
      if: when.any(when.succeeded(approved), when.skipped(approved)),
      parallel: 3,
    }));
    const test = command("test", { command: "sh -c \"$TEST\"", env: { TEST: inputs.test }, readonly: true, needs: changes });
    agent("notes", { prompt: `Write the release notes of ${inputs.version}: ${plan.output.title}`, outputs: ["RELEASE.md"], needs: test });
    return { plan };
  },
);
export default release;

// Only when this file itself is run: `stepfall run release.ts` reads it for the pipeline.
const isMain = process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url);
const project = process.argv[2];
if (isMain && project === undefined) process.stdout.write(release.toYaml());
else if (isMain && project !== undefined) {
  await using stepfall = new Stepfall({ project, env: process.env });
  const run = await stepfall.run(release, { inputs: { version: process.argv[3] ?? "next" } });
  const result = await run.result();
  if (result.outcome === "succeeded") console.log(`${result.outputs.plan.title} (${result.outputs.plan.risk} risk) is on ${result.branch}`);
  else console.log(`${result.outcome}: ${result.because ?? ""}`);
}
