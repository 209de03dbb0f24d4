/** Lines that hold something. */
export const readLines = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");

/** `name=value` lines; the value may hold more of `=`. */
export function readInputs(text: string): { inputs: Record<string, string>; wrong?: string } {
  const inputs: Record<string, string> = {};
  for (const line of readLines(text)) {
    const at = line.indexOf("=");
    if (at < 1) return { inputs, wrong: `"${line}" is not name=value` };
    inputs[line.slice(0, at).trim()] = line.slice(at + 1).trim();
  }
  return { inputs };
}

/** Nothing is no budget. What cannot be read is told: without a word it would be no limit at all. */
export function readUsd(text: string): { budget?: number; wrong?: string } {
  if (text.trim() === "") return {};
  const budget = Number(text);
  return Number.isFinite(budget) && budget > 0 ? { budget } : { wrong: `"${text.trim()}" is no amount of USD above 0, such as 2.50` };
}
