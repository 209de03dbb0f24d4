import { isIP } from "node:net";

/** Where a rule without a port lets through. */
const usualPorts = [80, 443];

interface Rule {
  host: string;
  /** Every name below `host`, and not `host` itself. */
  isWildcard: boolean;
  port: number | undefined;
}

/** Lower case, without the dot at the end and the brackets of IPv6. */
export const plainHost = (host: string): string =>
  host
    .toLowerCase()
    .replace(/\.$/, "")
    .replace(/^\[(.*)\]$/, "$1");

/** `undefined`: no domain. `*` alone, a scheme, a path or a wildcard in the middle are none. */
export function parseDomain(text: string): Rule | undefined {
  const [, star, host = "", port] = /^(\*\.)?(\[[0-9a-f:.]+\]|[^\s:/*?#@[\]]+)(?::(\d{1,5}))?$/i.exec(text) ?? [];
  const plain = plainHost(host);
  if (plain === "" || plain.startsWith(".") || plain.includes("..")) return undefined;
  const number = port === undefined ? undefined : Number(port);
  if (number !== undefined && (number < 1 || number > 65535)) return undefined;
  // `*.com` would be the internet; `*.localhost` is this machine.
  if (star && (isIP(plain) !== 0 || !plain.includes("."))) return undefined;
  return { host: plain, isWildcard: star !== undefined, port: number };
}

/** Whether a connection to `host:port` is allowed by one of `domains`. */
export function isAllowed(domains: readonly string[], host: string, port: number): boolean {
  const name = plainHost(host);
  return domains.some((text) => {
    const rule = parseDomain(text);
    if (!rule) return false;
    if (rule.port === undefined ? !usualPorts.includes(port) : rule.port !== port) return false;
    return rule.isWildcard ? name.endsWith(`.${rule.host}`) && name.length > rule.host.length + 1 : name === rule.host;
  });
}
