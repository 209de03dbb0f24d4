// Runs a pipeline from a program of your own, with a function as the agent: no model is called.
// In a folder with `npm i stepfall` and Node 22.18 or newer: node run.ts PROJECT
import { Stepfall } from "stepfall";

await using stepfall = new Stepfall({ project: process.argv[2] ?? ".", env: process.env, slots: 2 });

stepfall.agent("writer", (task, { feedback, progress }) => {
  progress(feedback.length > 0 ? "once more" : "a first try");
  // The first try is wrong: the gate sees it, and says so to the next.
  const text = feedback.length > 0 ? "hello\n" : "helo\n";
  return { summary: `wrote ${text.trim()}`, files: [{ path: "hello.txt", content: text }] };
});

const run = await stepfall.run({
  yaml: `name: hello
steps:
  write: { prompt: Greet, agent: writer, outputs: [hello.txt], gates: ["grep -q hello hello.txt"] }
  count: { command: "wc -c < hello.txt > count.txt", needs: write, outputs: [count.txt] }
`,
});
for await (const { event } of run.events()) console.error(event.type);

const { outcome, branch, steps } = await run.result();
const told = Object.entries(steps).map(([id, { status, attempts }]) => [id, status, attempts]);
console.log(JSON.stringify({ outcome, branch, steps: told }));
