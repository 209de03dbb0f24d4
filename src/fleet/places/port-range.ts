/** Ports from `from` to `to`, both included. */
export interface PortRange {
  from: number;
  to: number;
}

/** Where services of one's own seldom listen, and the kernel gives out none: below what Linux and macOS use for outgoing connections. */
const usual: PortRange = { from: 20_000, to: 32_767 };
const LEAST = 2000;

/**
 * The ports that blocks are taken from: outside `ephemeral`, the range from which the kernel takes ports for outgoing connections (any of
 * them may be in use a moment after it was free). Where that range leaves too few, the usual ones, and the look at each port has to do.
 */
export function choosePortRange(ephemeral: PortRange | undefined): PortRange {
  if (!ephemeral || ephemeral.from > usual.to || ephemeral.to < usual.from) return usual;
  const below = { from: Math.min(usual.from, 10_240), to: ephemeral.from - 1 };
  if (below.to - below.from >= LEAST) return { from: Math.max(below.from, below.to - (usual.to - usual.from)), to: below.to };
  const above = { from: ephemeral.to + 1, to: 65_535 };
  if (above.to - above.from >= LEAST) return above;
  return usual;
}

/** What `/proc/sys/net/ipv4/ip_local_port_range` says; `undefined` for any other text. */
export function parseEphemeral(text: string): PortRange | undefined {
  const [, from, to] = /^\s*(\d+)\s+(\d+)\s*$/.exec(text) ?? [];
  return from === undefined || to === undefined ? undefined : { from: Number(from), to: Number(to) };
}
