import { existsSync, readFileSync } from "node:fs";

// The notes name every change that was collected.
if (existsSync("RELEASE.md")) {
  const notes = readFileSync("RELEASE.md", "utf8");
  for (const { title } of JSON.parse(readFileSync("changes.json", "utf8"))) if (!notes.includes(title)) process.exit(1);
}
