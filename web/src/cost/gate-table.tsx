import type { Gates, Proportion } from "../data/index.ts";
import { durationText, Money, percentText, RowName, Table, Td, Th } from "../ui/index.ts";

type Gate = Gates["gates"][number];

/** What each gate said, and how often that turned out to be wrong. */
export function GateTable({ gates }: { gates: readonly Gate[] }) {
  return (
    <Table
      label="Gates"
      head={
        <>
          <Th left>Gate</Th>
          <Th>Accepted</Th>
          <Th>Refused</Th>
          <Th title="It could not be run">Errored</Th>
          <Th title="Results that were said to be right or wrong. What a gate refused is taken for wrong until somebody says otherwise.">
            Truth known
          </Th>
          <Th title="Wrong results that it let pass, of those that are known or taken to be wrong">False accepts</Th>
          <Th title="Right results that it refused, of those known to be right">False refusals</Th>
          <Th title="On average; all of it on hover">Time each</Th>
          <Th>Cost</Th>
        </>
      }
    >
      {gates.map((gate) => (
        <Row key={`${gate.kind} ${gate.name}`} gate={gate} />
      ))}
    </Table>
  );
}

function Row({ gate }: { gate: Gate }) {
  const { passed, refused, errored } = gate.verdicts;
  const times = passed + refused + errored;
  return (
    <tr className="border-t border-line">
      <RowName title={gate.name}>
        {gate.name} <span className="text-xs text-muted">{gate.kind}</span>
      </RowName>
      <Td>
        {passed} <span className="text-xs text-muted">{percentText(passed / Math.max(1, times))}</span>
      </Td>
      <Td>{refused}</Td>
      <Td>{errored}</Td>
      <Td>
        {gate.known}
        {gate.takenForWrong > 0 ? <span className="text-xs text-muted"> +{gate.takenForWrong} taken for wrong</span> : undefined}
      </Td>
      <Td>
        <Share of={gate.falseAccepts} />
        {gate.caughtElsewhere > 0 ? <span className="text-xs text-muted"> {gate.caughtElsewhere} caught by another gate</span> : undefined}
      </Td>
      <Td>
        <Share of={gate.falseRefusals} />
      </Td>
      <Td title={`${durationText(gate.durationMs)} for ${times}`}>{times === 0 ? "–" : durationText(gate.durationMs / times)}</Td>
      <Td>{gate.microUsd === undefined ? "–" : <Money microUsd={gate.microUsd} />}</Td>
    </tr>
  );
}

/** Counted, with what it may really be; nothing where nothing is known. */
function Share({ of }: { of: Proportion }) {
  if (of.of === 0) return <span className="text-muted">not known yet</span>;
  return (
    <span title={`95 %: ${percentText(of.low)} to ${percentText(of.high)}`}>
      {of.hits} of {of.of}
    </span>
  );
}
