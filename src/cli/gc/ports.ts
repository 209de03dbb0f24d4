import { existsSync } from "node:fs";
import { join } from "node:path";
import { machineFolder, PortBook, type PortLease } from "../../fleet/index.ts";
import type { Living } from "./living.ts";
import type { Found } from "./orphan.ts";

/** Blocks of ports whose attempts are done, and those of homes that are gone. */
export async function orphanedPorts(home: string, living: Living, folder: string = ourFolder(home)): Promise<Found> {
  const found: Found = { orphans: [], kept: [] };
  if (!existsSync(join(folder, "ports.db"))) return found;
  for (const lease of withBook(folder, (book) => book.list())) {
    const why = await whyOrphaned(lease, home, living);
    if (why === undefined) continue;
    found.orphans.push({
      kind: "ports",
      what: `ports ${lease.first}-${lease.first + lease.count - 1} of ${lease.attempt} (${lease.purpose})`,
      why,
      isStill: async () => (await whyOrphaned(lease, home, living)) !== undefined,
      remove: async () => withBook(folder, (book) => book.free(lease.home, lease.attempt, lease.purpose)),
    });
  }
  return found;
}

async function whyOrphaned(lease: PortLease, home: string, living: Living): Promise<string | undefined> {
  if (lease.home !== home) return existsSync(lease.home) ? undefined : `Stepfall's folder ${lease.home} is gone`;
  const is = await living.attempt(lease.attempt);
  return is.kind === "done" ? is.words : undefined;
}

const ourFolder = (home: string): string => machineFolder(home, process.getuid?.() ?? 0);

function withBook<T>(folder: string, use: (book: PortBook) => T): T {
  const book = new PortBook(folder);
  try {
    return use(book);
  } finally {
    book.close();
  }
}
