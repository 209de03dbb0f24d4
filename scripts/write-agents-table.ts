// node scripts/write-agents-table.ts REPORT.json: writes docs/agents.md from vitest's report of `npm run test:agents`.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { presets } from "../src/agents/index.ts";
import { realAgents, type RealAgent } from "../test/agents/catalogue.ts";

interface Report {
  testResults: { assertionResults: { ancestorTitles: string[]; title: string; status: string }[] }[];
}

const root = fileURLToPath(new URL("..", import.meta.url));
const report = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as Report;
const results = report.testResults.flatMap((file) => file.assertionResults);

/** What a row says, and the beginning of the test's name that shows it. */
const rows: readonly (readonly [string, string, keyof RealAgent["cannot"] | undefined])[] = [
  ["writes files that are found in its workspace", "an agent that writes a file", "write"],
  ["every call is billed as the model counted it", "what ", undefined],
  ["a lie is left to the gates", "an agent that lies", undefined],
  ["says that it cannot do it", "an agent that says it cannot", "fail"],
  ["asks leave, and gets it", "an agent that asks leave and gets it", "ask"],
  ["asks leave, and is refused", "an agent that asks leave and is refused", "ask"],
  ["takes a session up in a later process", "a session is taken up", "resume"],
  ["reports its tokens rightly, or none", "tokens are told", undefined],
  ["cancelled: gone, with its children", "an agent cancelled in the middle", "hang"],
  ["deadline: gone, with its children", "an agent that hangs is ended", "hang"],
  ["children that ignore signals are killed", "children that ignore", "ignore-signals"],
  ["children left behind are ended", "children left behind", "leave-children"],
  ["a crash is a crash", "an agent whose process dies", "crash"],
  ["a flood is stopped", "an agent that floods", "flood"],
  ["transcript in order, without secrets", "the transcript has every line", "print"],
  ["preflight starts it", "preflight really", undefined],
];

const versionOf = ({ suite, package: name }: RealAgent): string => {
  const folder = suite === "default" ? "test/agents" : "test/agents/more";
  return (
    (JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as { dependencies: Record<string, string> }).dependencies[name] ??
    ""
  );
};

const notes: string[] = [];
function cell(agent: RealAgent, [, begins, ability]: (typeof rows)[number]): string {
  const test = results.find(
    ({ ancestorTitles, title }) =>
      ancestorTitles[0] === agent.preset && title.startsWith(begins) && (begins !== "what " || title.includes("is billed")),
  );
  if (test) return test.status === "passed" ? "yes" : "**no**";
  const why = ability && agent.cannot[ability];
  if (why === undefined) throw new TypeError(`${agent.preset}: no test begins with ${JSON.stringify(begins)}`);
  if (!notes.includes(why)) notes.push(why);
  return `not shown (${notes.indexOf(why) + 1})`;
}

const modes = (agent: RealAgent): string => presets[agent.preset].modes.join(", ");
const table = [
  ["", ...realAgents.map((agent) => `\`${agent.preset}\``)],
  ["---", ...realAgents.map(() => "---")],
  ["program", ...realAgents.map((agent) => `${presets[agent.preset].name} ${versionOf(agent)}`)],
  ["executor", ...realAgents.map((agent) => presets[agent.preset].executor)],
  ["speaks to its model", ...realAgents.map((agent) => presets[agent.preset].format)],
  ["credentials", ...realAgents.map(modes)],
  ...rows.map((row) => [row[0], ...realAgents.map((agent) => cell(agent, row))]),
];

const text = `# Real agents

What each agent passes of the conformance suite (\`src/agents/conformance.ts\`): the real program at the pinned version, the real gateway in
\`metered\` mode, and a scripted model that makes the agent's own tool calls. Written by \`npm run test:agents\`; do not edit it by hand.

${table.map((cells) => `| ${cells.join(" | ")} |`).join("\n")}

${notes.map((why, index) => `(${index + 1}) ${why}.`).join("\n\n")}

\`pass-through\` and \`direct\` need a login of yours and are not part of this table. To install:

${realAgents.map((agent) => `- ${presets[agent.preset].name}: \`${presets[agent.preset].install}\``).join("\n")}
`;
writeFileSync(join(root, "docs/agents.md"), text);
