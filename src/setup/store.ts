import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Log } from "../logs/index.ts";
import { openSqliteStore, type Store } from "../store/index.ts";
import type { Surroundings } from "./surroundings.ts";
import { RequestError } from "./failure.ts";
import { homeOf } from "./settings.ts";

const fileIn = (home: string): string => join(home, "stepfall.db");

/** The store of this home, made when it is not there. */
export async function openStore(cli: Surroundings, log?: Log): Promise<Store> {
  const home = homeOf(cli);
  try {
    mkdirSync(home, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new RequestError(
      "HOME_NOT_WRITABLE",
      `Stepfall's folder ${home} cannot be made: ${(error as Error).message}`,
      "Give another one with --home or $STEPFALL_HOME.",
      1,
    );
  }
  const store = await openSqliteStore({ file: fileIn(home), clock: cli.clock });
  return log ? withSlowTold(store, log) : store;
}

/** Most that one call should take: a person waits for it, or a run does. */
const SLOW_MS = 2000;

/** The store, with calls that take long told. */
function withSlowTold(store: Store, log: Log): Store {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      return (...args: unknown[]): unknown => {
        const began = performance.now();
        const answer: unknown = Reflect.apply(member, target, args);
        if (!(answer instanceof Promise)) return answer;
        const look = (): void => {
          const ms = Math.round(performance.now() - began);
          if (ms > SLOW_MS)
            log.warn("store-slow", `the store took ${ms} ms for \`${String(name)}\``, { room: "store", data: { ms, call: String(name) } });
        };
        answer.then(look, look);
        return answer;
      };
    },
  });
}

/** For commands that only look: nothing is made. `undefined`: nothing ever ran here. */
export async function openStoreIfThere(cli: Surroundings): Promise<Store | undefined> {
  const file = fileIn(homeOf(cli));
  return existsSync(file) ? openSqliteStore({ file, clock: cli.clock }) : undefined;
}

/** Calls `use` with the store and closes it; without a store there is no run. */
export async function withStore<T>(cli: Surroundings, use: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStoreIfThere(cli);
  if (!store)
    throw new RequestError("RUN_UNKNOWN", `nothing was run in ${homeOf(cli)} yet`, "Start with `stepfall run FILE`, or give --home.");
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}
