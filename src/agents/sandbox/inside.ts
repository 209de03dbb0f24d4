import type { Confine, SpawnSpec } from "../contract.ts";

/**
 * What runs first inside the sandbox: listens at each way's port on the sandbox's own loopback, and becomes the program. The
 * relays are orphans at once, so that the program has no children it did not start; they end with the sandbox's first process.
 * The sandbox's outer process ignores TERM and INT, so that the program has time to end by itself before KILL, which ends all of
 * it; a shell cannot undo that for the program, `env` can. `$0` is the word by which the host knows that a program could not be
 * executed; the shell that executes it has to have it as its name.
 */
export const insideScript = (socat: string): string =>
  [
    "_dir=$1 _ways=$2 _unset=$3; shift 3",
    "for _way in $_ways; do",
    `  (cd "$_dir" && exec ${socat} TCP4-LISTEN:"\${_way%%=*}",bind=127.0.0.1,fork,reuseaddr,backlog=512 UNIX-CONNECT:"\${_way#*=}" </dev/null >/dev/null 2>&1 &)`,
    "done",
    "for _way in $_ways; do",
    '  _hex=$(printf %04X "${_way%%=*}") _tries=0 _up=',
    '  while [ -z "$_up" ] && [ "$_tries" -lt 800 ]; do',
    '    while read -r _n _local _remote _state _rest; do case "$_local $_state" in *:"$_hex 0A") _up=1 ;; esac; done </proc/net/tcp',
    '    _tries=$((_tries + 1)); [ -n "$_up" ] || [ "$_tries" -lt 300 ] || sleep 0.01',
    "  done",
    "done",
    'exec /usr/bin/env --default-signal=TERM,INT /bin/sh -c \'unset $1; shift; exec "$@"\' "$0" "$_unset" "$@"',
  ].join("\n");

/** The command line of a confined program. `complaint` and `unset` are the gate's. */
export function confinedArgv(
  confine: Confine,
  argv: SpawnSpec["argv"],
  given: { complaint: string; unset: string; ways: string },
): string[] {
  return [...confine.prefix, given.complaint, confine.bridge, given.ways, given.unset, ...argv];
}
