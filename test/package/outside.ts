import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join, sep } from "node:path";
import { promisify } from "node:util";

/** How a person stands outside the project: the host's PATH, none of the project's Node and tools, no npm script around. */

export interface Done {
  code: number;
  stdout: string;
  stderr: string;
}

const aside = join("node_modules", ".bin");

/** The PATH without what `npm test` put there. */
export const hostPath = (): string[] =>
  (process.env["PATH"] ?? "").split(delimiter).filter((entry) => entry !== "" && !entry.endsWith(aside));

/** The environment of a shell of its own: what npm and vitest set for their scripts is gone. */
export function outsideEnvironment(path: readonly string[], own: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) =>
      !/^(npm_(?!config_)|npm_config_(local_|global_)?prefix$|INIT_CWD$|NODE$|NODE_(ENV|OPTIONS|PATH|COMPILE_CACHE)$|VITEST|STEPFALL_|FORCE_COLOR$|NO_COLOR$)/.test(
        name,
      ),
  );
  return { ...Object.fromEntries(inherited), ...own, PATH: path.join(delimiter) };
}

export async function run(command: readonly [string, ...string[]], cwd: string, env: NodeJS.ProcessEnv): Promise<Done> {
  const [program, ...args] = command;
  try {
    const { stdout, stderr } = await promisify(execFile)(program, args, { cwd, env, maxBuffer: 1 << 26 });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: unknown; stdout?: string; stderr?: string };
    if (typeof code !== "number") throw error;
    return { code, stdout: stdout ?? "", stderr: stderr ?? "" };
  }
}

/** A folder of PATH whose `node` is too old for Stepfall, if there is one. */
export async function folderOfOldNode(path: readonly string[]): Promise<string | undefined> {
  for (const folder of path) {
    if (!existsSync(join(folder, "node")) || folder.includes(`${sep}node_modules${sep}`)) continue;
    const { code, stdout } = await run([join(folder, "node"), "-p", "process.versions.node"], folder, outsideEnvironment(path));
    const [major = 99, minor = 0] = stdout.trim().split(".").map(Number);
    if (code === 0 && (major < 22 || (major === 22 && minor < 18))) return folder;
  }
  return undefined;
}
