// npm start: the main job. Runs the bundled example on a fresh sample project with a scripted model; needs no key and no network.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { environment, install, node, root } from "./installed.mjs";

install();
const child = spawn(node, [join(root, "bin", "stepfall.js"), "demo", ...process.argv.slice(2)], { stdio: "inherit", env: environment() });
// Ctrl-C reaches the child by itself (same terminal); this process only waits for it.
for (const signal of ["SIGINT", "SIGHUP"]) process.on(signal, () => undefined);
process.on("SIGTERM", () => child.kill("SIGTERM"));
child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 1)));
