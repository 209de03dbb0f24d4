/** Who holds a lease: `host:pid:startTime`, enough to tell on the same machine whether it still lives. */
export interface Holder {
  host: string;
  pid: number;
  startTime: string;
}

export const formatHolder = (h: Holder): string => `${encodeURIComponent(h.host)}:${h.pid}:${encodeURIComponent(h.startTime)}`;

export function parseHolder(text: string): Holder | undefined {
  const [host, pid, startTime] = text.split(":");
  if (host === undefined || pid === undefined || startTime === undefined || !/^\d+$/.test(pid)) return undefined;
  return { host: decodeURIComponent(host), pid: Number(pid), startTime: decodeURIComponent(startTime) };
}
