import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { join } from "node:path";
import type { Clock } from "../domain/index.ts";
import { ROLES, type Caller, type Role } from "./callers.ts";
import { secretFile } from "./secret-file.ts";

/** Files of the home that let programs and browsers in. */
const FOLDER = "server";
const LINK_MS = 10 * 60_000;
const SESSION_MS = 7 * 86_400_000;
/** Of one role: somebody who may only look does not use up those of others. */
const MOST_LINKS = 100;

export interface Login {
  /** Who sends these headers; `refused`: it shows something that is no good; `nobody`: it shows nothing. */
  callerOf(headers: IncomingHttpHeaders): Caller | "refused" | "nobody";
  /** The secret of a link that can be used once. */
  newLink(role: Role): { secret: string; expiresAt: number };
  /** The cookie to set; `undefined`: the link was used, is too old, or never was. */
  useLink(secret: string): string | undefined;
  /** The cookie that ends a session. */
  logout(): string;
}

/** The file with the token of a role: for programs, as `Authorization: Bearer`. */
export const tokenFile = (home: string, role: Role): string => join(home, FOLDER, `${role}.token`);

/**
 * Who may come in. Tokens of the roles lie in files of the home, one a role; links are for browsers and become a cookie that is signed with a key of
 * the home, so that it outlives the server. `port`: cookies know no ports, so its name does. `user`: who owns the home.
 */
export function openLogin({
  home,
  port,
  user,
  clock,
  used,
}: {
  home: string;
  port: () => number;
  user: string;
  clock: Clock;
  /** Told when a link has let a browser in. */
  used?: (role: Role) => void;
}): Login {
  const tokens = ROLES.map((role) => ({ role, digest: digestOf(secretFile(tokenFile(home, role))) }));
  const key = secretFile(join(home, FOLDER, "cookie.key"));
  const links = new Map<string, { role: Role; expiresAt: number }>();
  const cookieName = (): string => `stepfall-${port()}`;
  const sign = (text: string): string => createHmac("sha256", key).update(text).digest("base64url");

  const bearer = (token: string): Caller | "refused" => {
    const digest = digestOf(token);
    // All are compared, so that the time it takes tells nothing.
    const found = tokens.filter((known) => timingSafeEqual(known.digest, digest))[0];
    return found ? { role: found.role, actor: `api:${user}`, by: "token" } : "refused";
  };
  const session = (cookie: string): Caller | "refused" => {
    const [body = "", signature = ""] = cookie.split(".");
    if (!timingSafeEqual(digestOf(sign(body)), digestOf(signature))) return "refused";
    const { role, until } = JSON.parse(Buffer.from(body, "base64url").toString("utf8")) as { role: Role; until: number };
    return until > clock.now() ? { role, actor: `web:${user}`, by: "cookie" } : "refused";
  };

  return {
    callerOf({ authorization, cookie }) {
      if (authorization !== undefined) {
        const [, token] = /^Bearer ([\w-]{1,200})$/i.exec(authorization) ?? [];
        return token === undefined ? "refused" : bearer(token);
      }
      const own = (cookie ?? "")
        .split(";")
        .map((one) => one.trim())
        .filter((one) => one.startsWith(`${cookieName()}=`))
        .map((one) => session(one.slice(cookieName().length + 1)));
      // Pages of other ports of this machine can set one of this name that comes first: it does not log anybody out.
      return own.find((caller) => caller !== "refused") ?? own[0] ?? "nobody";
    },

    newLink(role) {
      const now = clock.now();
      for (const [secret, { expiresAt }] of links) if (expiresAt <= now) links.delete(secret);
      const alike = [...links].filter(([, link]) => link.role === role);
      if (alike.length >= MOST_LINKS) links.delete(alike[0]?.[0] ?? "");
      const secret = randomBytes(32).toString("base64url");
      const expiresAt = now + LINK_MS;
      links.set(secret, { role, expiresAt });
      return { secret, expiresAt };
    },

    useLink(secret) {
      const link = links.get(secret);
      links.delete(secret);
      if (!link || link.expiresAt <= clock.now()) return undefined;
      used?.(link.role);
      const body = Buffer.from(JSON.stringify({ role: link.role, until: clock.now() + SESSION_MS })).toString("base64url");
      return `${cookieName()}=${body}.${sign(body)}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${SESSION_MS / 1000}`;
    },

    logout: () => `${cookieName()}=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0`,
  };
}

const digestOf = (text: string): Buffer => createHash("sha256").update(text).digest();
