/** The program. The only place that reads the process: its environment, arguments and streams. */
import { callName } from "./call-name.ts";
import { runProgram } from "./program.ts";
import { openOutput } from "./output.ts";

// React picks its build by this when ink is loaded for the live view; agents do not see it.
process.env["NODE_ENV"] ??= "production";

const env = { ...process.env };
const out = openOutput(process, env);
const code = await runProgram({
  argv: process.argv.slice(2),
  env,
  cwd: process.cwd(),
  out,
  program: callName(process.argv[1], env),
  isInteractive: process.stdin.isTTY && process.stderr.isTTY,
});
await out.flush();
// A socket kept alive somewhere must not hold up the end of the program.
process.exit(code);
