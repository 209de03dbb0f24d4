import type { Gates, Proportion } from "../data/index.ts";
import { durationText, Money, percentText } from "../ui/index.ts";

const head = "px-3 py-2 text-xs font-medium text-muted whitespace-nowrap";
const th = `${head} text-right`;
const thLeft = `${head} text-left`;
const td = "px-3 py-1.5 text-right whitespace-nowrap";

/** What each gate said, and how often that turned out to be wrong. */
export function GateTable({ gates }: { gates: Gates["gates"] }) {
  return (
    <div className="overflow-x-auto" tabIndex={0} role="region" aria-label="Gates">
      <table className="w-full">
        <thead>
          <tr>
            <th className={thLeft}>Gate</th>
            <th className={th}>Accepted</th>
            <th className={th}>Refused</th>
            <th className={th} title="It could not be run">
              Errored
            </th>
            <th className={th} title="Wrong results that it let pass, of those known to be wrong">
              False accepts
            </th>
            <th className={th} title="Right results that it refused, of those known to be right">
              False refusals
            </th>
            <th className={th}>Time</th>
            <th className={th}>Cost</th>
          </tr>
        </thead>
        <tbody>
          {gates.map((gate) => {
            const { passed, refused, errored } = gate.verdicts;
            return (
              <tr key={`${gate.kind} ${gate.name}`} className="border-t border-line">
                <th scope="row" className="max-w-72 truncate px-3 py-1.5 text-left font-normal" title={gate.name}>
                  {gate.name} <span className="text-xs text-muted">{gate.kind}</span>
                </th>
                <td className={td}>
                  {passed} <span className="text-xs text-muted">{percentText(passed / Math.max(1, passed + refused + errored))}</span>
                </td>
                <td className={td}>{refused}</td>
                <td className={td}>{errored}</td>
                <td className={td}>
                  <Share of={gate.falseAccepts} />
                </td>
                <td className={td}>
                  <Share of={gate.falseRefusals} />
                </td>
                <td className={td}>{durationText(gate.durationMs)}</td>
                <td className={td}>{gate.microUsd === undefined ? "–" : <Money microUsd={gate.microUsd} />}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

/** Counted, with what it may really be; nothing where nothing is known. */
function Share({ of }: { of: Proportion }) {
  if (of.of === 0) return <span className="text-muted">not known</span>;
  return (
    <span title={`95 %: ${percentText(of.low)} to ${percentText(of.high)}`}>
      {of.hits} of {of.of}
    </span>
  );
}
