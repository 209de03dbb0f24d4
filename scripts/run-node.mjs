// node scripts/run-node.mjs FILE [ARGS]: runs a TypeScript file on the project's Node, installing packages first if need be.
import { spawn } from "node:child_process";
import { environment, install, node, root } from "./installed.mjs";

install();
const child = spawn(node, process.argv.slice(2), { cwd: process.env.INIT_CWD ?? root, stdio: "inherit", env: environment() });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 1)));
