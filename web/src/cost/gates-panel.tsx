import { useGates, type Gates, type Part } from "../data/index.ts";
import { CommandLine, Empty, Panel, percentText, ProblemNote } from "../ui/index.ts";
import { GateTable } from "./gate-table.tsx";

/** How good the gates are that decide what counts. */
export function GatesPanel({ part }: { part: Part }) {
  const gates = useGates(part);
  // The page says already that something is being read.
  if (gates.isPending) return undefined;
  return (
    <Panel title="Gates" flush>
      {gates.error && !gates.data ? (
        <div className="p-3">
          <ProblemNote problem={gates.error} retry={() => void gates.refetch()} />
        </div>
      ) : undefined}
      {gates.data === undefined ? undefined : gates.data.gates.length === 0 ? (
        <Empty title="No gate has judged anything in this time.">
          Gates decide what is accepted. Give a step some with <code className="font-mono">gates:</code>, or a task with Start work; what
          they say of it comes here.
        </Empty>
      ) : (
        <>
          <GateTable gates={gates.data.gates} />
          <div className="border-t border-line px-3 py-2 text-muted">
            <Together together={gates.data.together} />
          </div>
        </>
      )}
    </Panel>
  );
}

/** What routing reckons with. A figure that nobody has measured is never shown as one. */
function Together({ together }: { together: Gates["together"] }) {
  const { isAssumed, falseAccept, falseAcceptInterval, falseRefuse, falseRefuseInterval, counts } = together;
  const range = ({ low, high }: { low: number; high: number }): string => `(95 %: ${percentText(low)} to ${percentText(high)})`;
  if (!isAssumed)
    return (
      <p>
        All gates of an attempt together accept {percentText(falseAccept)} of wrong results {range(falseAcceptInterval)} and refuse{" "}
        {percentText(falseRefuse)} of right ones {range(falseRefuseInterval)}, as {counts.wrong} wrong and {counts.right} right results
        tell.
      </p>
    );
  return (
    <>
      <p>
        How often all gates of an attempt together are wrong is <strong className="font-medium text-ink">not known yet</strong>: too few
        results are known, or taken, to be right ({counts.right}) or wrong ({counts.wrong}). Until then routing assumes that{" "}
        {percentText(falseAccept)} of wrong results are accepted and {percentText(falseRefuse)} of right ones refused.
      </p>
      <p className="mt-1 flex flex-wrap items-center gap-2">
        Say what a result turned out to be worth on the page of its run, or in a terminal:{" "}
        <CommandLine command="stepfall feedback STEP wrong" />
      </p>
    </>
  );
}
