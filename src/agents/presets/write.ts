import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { AgentSetup } from "./contract.ts";

/** Writes the files of a setup, readable by nobody else: some hold the attempt's key. */
export async function writeSetup(setup: AgentSetup): Promise<void> {
  for (const { path, content } of setup.files) {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    // An agent that is taken up after a crash reads its settings while they are prepared once more: it never sees half of them.
    const isThere = (await readFile(path, "utf8").catch(() => undefined)) === content;
    if (!isThere) await writeFile(path, content, { mode: 0o600 });
    // The mode above is only for a new file, and a further attempt may find the one before.
    await chmod(path, 0o600);
  }
}
