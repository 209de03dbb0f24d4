import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Cli } from "../cli.ts";

/** What `$BROWSER` names and nothing else, where it is set; none where there is no desktop. */
function programsIn(env: Cli["env"]): string[] {
  const own = env["BROWSER"];
  if (own) return [own];
  if (process.platform === "darwin") return ["open"];
  if (env["WSL_DISTRO_NAME"]) return ["wslview"];
  return env["DISPLAY"] || env["WAYLAND_DISPLAY"] ? ["xdg-open"] : [];
}

/** Has the desktop open an address. False: nothing here can. */
export async function openBrowser(cli: Pick<Cli, "env">, url: string): Promise<boolean> {
  for (const program of programsIn(cli.env)) {
    try {
      const child = spawn(program, [url], { detached: true, stdio: "ignore", env: { ...cli.env } });
      await once(child, "spawn");
      child.unref();
      return true;
    } catch {
      // It is not installed: perhaps the next one is.
    }
  }
  return false;
}
