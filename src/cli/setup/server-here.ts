import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ulid } from "ulid";
import { askLoginLink, type Role } from "../../server/index.ts";
import { RequestError } from "../../setup/failure.ts";
import { homeOf } from "../../setup/settings.ts";
import type { Cli } from "../cli.ts";
import { actorOf } from "./person.ts";
import { openBrowser } from "./open-browser.ts";
import { ownLauncher } from "./own-program.ts";

const START_MS = 60_000;
const LOOK_MS = 100;

/** A link into the dashboard of this home; its server is started when there is none. */
export async function linkInto(cli: Cli, to: string, role?: Role): Promise<string> {
  const home = homeOf(cli);
  const there = await askLoginLink(home, { to, role });
  if (there !== undefined) return there;
  const folder = join(home, "launched");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const output = join(folder, `${ulid(cli.clock.now()).toLowerCase()}.ndjson`);
  const { ended } = await ownLauncher(cli).launch(["--json", `--home=${home}`, "up", "--no-open"], {
    cwd: cli.cwd,
    output,
    actor: actorOf(cli),
  });
  let hasEnded = false;
  void ended.then(() => (hasEnded = true));
  for (const until = cli.clock.now() + START_MS; cli.clock.now() < until && !hasEnded; await sleep(LOOK_MS)) {
    const link = await askLoginLink(home, { to, role });
    if (link !== undefined) return link;
  }
  throw new RequestError(
    "SERVER_SILENT",
    "the server was started, and does not answer",
    `What it said is in ${output}.err. Or run \`stepfall up\`.`,
    1,
  );
}

/** `--open`: shows a page of the dashboard. That nobody can see it is no reason to stop what goes on. */
export async function showPage(cli: Cli, to: string): Promise<void> {
  try {
    const link = await linkInto(cli, to);
    cli.out.note(`In the dashboard: ${new URL(to, link).href}`);
    await tellLink(cli, link, true);
  } catch (error) {
    cli.out.note(`The dashboard cannot be opened: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Opens a link where that is asked for and can be done, and says it otherwise. */
export async function tellLink(cli: Cli, link: string, isToOpen: boolean): Promise<void> {
  if (isToOpen && !(await openBrowser(cli, link)))
    cli.out.note(`There is no browser to open here. The page, for ten minutes and once: ${link}`);
}
