import { existsSync, readFileSync } from "node:fs";

const targets = [...readFileSync("RELEASE.md", "utf8").matchAll(/\]\(([^)]+)\)/g)].map((match) => match[1]);
if (targets.length === 0 || !targets.every((target) => existsSync(target))) process.exit(1);
