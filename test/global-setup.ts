import { bundleProgram } from "./bundled-program.ts";

/** A whole run of the tests starts the program some thousand times: then it is bundled first. A single file runs from source. */
export default async function setup(): Promise<() => void> {
  if (process.env["STEPFALL_TEST_BUNDLE"] !== "1") return () => undefined;
  const program = await bundleProgram();
  process.env["STEPFALL_TEST_LAUNCHER"] = program.launcher;
  return () => program[Symbol.dispose]();
}
