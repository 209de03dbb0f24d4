import { Parser, type EventLog } from "tap-parser";
import { OutcomeList, type TestOutcomes } from "./outcomes.ts";

/** The Test Anything Protocol, with subtests. `undefined`: there is no test point in it. */
export function readTap(texts: readonly string[]): TestOutcomes | undefined {
  const list = new OutcomeList();
  for (const text of texts) collect(Parser.parse(text), list);
  return list.outcomes.size > 0 ? list.outcomes : undefined;
}

function collect(events: EventLog, list: OutcomeList): void {
  for (const event of events) {
    if (event[0] === "child") collect(event[1], list);
    else if (event[0] === "assert") {
      const { ok, skip, todo, fullname, name, id } = event[1];
      // What is to be done may fail; a point without a name is known by its number.
      list.add([fullname || name || `test ${id}`], skip ? "skipped" : ok || todo ? "passed" : "failed");
    }
  }
}
