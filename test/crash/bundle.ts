import { join } from "node:path";
import { bundleProgram as bundle } from "../bundled-program.ts";

/** The program under test, as it is published, with the engine that stops at its commits beside it. */
export interface Program extends Disposable {
  launcher: string;
  engine: string;
}

/** Bundled into a folder of its own: a long run tests one state of the source, whatever is edited meanwhile. */
export async function bundleProgram(): Promise<Program> {
  const program = await bundle({ "crash-engine": "test/crash/engine-process.ts" });
  return { launcher: program.launcher, engine: join(program.dist, "crash-engine.js"), [Symbol.dispose]: () => program[Symbol.dispose]() };
}
