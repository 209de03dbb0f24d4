import type { Behaviour } from "../conformance.ts";

/** A command step that behaves so. */
export function shellScript(behaviour: Behaviour): string {
  switch (behaviour.does) {
    case "write":
      return `mkdir -p "$(dirname ${behaviour.path})"; printf '%s' '${behaviour.content}' > ${behaviour.path}`;
    case "lie":
      return "echo all done";
    case "fail":
      return `echo "${behaviour.reason}" >&2; exit 3`;
    case "hang":
      return `sleep ${behaviour.marker} & sleep ${behaviour.marker}`;
    case "ignore-signals":
      return `trap "" TERM INT; sleep ${behaviour.marker} & while :; do sleep ${behaviour.marker}; done`;
    case "leave-children":
      return `sleep ${behaviour.marker} & setsid sleep ${behaviour.marker} & (setsid sh -c 'trap "" TERM; sleep ${behaviour.marker}; :' &) ; sleep 0.1; echo done`;
    case "crash":
      return "kill -9 $$";
    case "flood":
      return "yes 'the same line again and again'";
    case "print":
      return `echo "${behaviour.text}"`;
    default:
      return behaviour satisfies never;
  }
}
