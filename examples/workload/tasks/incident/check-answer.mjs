// The right answer stands here as a hash: reading this file does not tell it.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

const { service, version, firstLost, lost } = JSON.parse(readFileSync("answer.json", "utf8"));
const answer = [service, version, firstLost, [...lost].sort().join(",")].map((part) => String(part).trim().toLowerCase()).join("|");
const isRight = createHash("sha256").update(`incident:${answer}`).digest("hex") === "0f07025c3f8ac85cdd351010973579cb1f04b21e91a7c4ef983c4b1df8fe0aaa";
console.log(isRight ? "right" : "that is not what the logs say");
process.exit(isRight ? 0 : 1);
