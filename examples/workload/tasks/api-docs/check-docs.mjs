// Tells whether docs/api.md describes every function of src/stack.js, and whether its examples do what they say.
import { readFileSync, writeFileSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const source = join(import.meta.dirname, "src", "stack.js");
const text = readFileSync(join(import.meta.dirname, "docs", "api.md"), "utf8");
const names = Object.keys(await import(pathToFileURL(source).href));
const sections = new Map(text.split(/^## /m).slice(1).map((part) => [/^`?(\w+)/.exec(part)?.[1], part]));
const wrong = [];

for (const name of names) {
  const section = sections.get(name);
  if (section === undefined) wrong.push(`no section "## ${name}"`);
  else {
    const example = /```js\n([\s\S]*?)```/.exec(section)?.[1];
    if (!example) wrong.push(`${name}: no example in a js block`);
    else if (!example.includes(name)) wrong.push(`${name}: its example does not use it`);
    else if (!/assert/.test(example)) wrong.push(`${name}: its example asserts nothing`);
    else run(name, example);
    if (section.replaceAll(/```[\s\S]*?```/g, "").trim().split(/\s+/).length < 12) wrong.push(`${name}: fewer than a dozen words`);
  }
}
for (const name of sections.keys()) if (!names.includes(name)) wrong.push(`there is no function ${name}`);
if (!/RangeError/.test(sections.get("pop") ?? "")) wrong.push("pop: what it throws is not said");
console.log(wrong.join("\n") || `${names.length} functions described`);
process.exit(wrong.length === 0 ? 0 : 1);

function run(name, example) {
  const file = join(process.env.TMPDIR ?? tmpdir(), `example-${name}.mjs`);
  const imports = `import assert from "node:assert/strict";\nimport { ${names.join(", ")} } from ${JSON.stringify(pathToFileURL(source).href)};\n`;
  writeFileSync(file, imports + example);
  const done = spawnSync(process.execPath, [file], { encoding: "utf8" });
  if (done.status !== 0) wrong.push(`${name}: its example fails: ${done.stderr.split("\n").find((line) => /Error/.test(line)) ?? done.status}`);
}
