import type { Cost, ViewRow } from "../data/index.ts";
import { countText, Money, percentText, RowName, Table, Tag, Td, Th } from "../ui/index.ts";

/** The figures themselves, each with where it comes from. */
export function CostTable({ cost }: { cost: Cost }) {
  return (
    <Table
      label={`Cost by ${cost.by}`}
      head={
        <>
          <Th left>{cost.by}</Th>
          <Th>Cost</Th>
          <Th>Calls</Th>
          <Th title="Input tokens, with those that were cached">Tokens in</Th>
          <Th>Tokens out</Th>
          <Th title="Attempts that the gates accepted, of those that began">Accepted</Th>
          <Th title="All of the row's money over its accepted attempts">Per accepted</Th>
          <Th left>Figures</Th>
        </>
      }
      foot={<Row row={cost.total} />}
    >
      {cost.rows.map((row) => (
        <Row key={row.name} row={row} />
      ))}
    </Table>
  );
}

function Row({ row }: { row: ViewRow }) {
  const cached = row.inputTokens === 0 ? "" : `, ${percentText(row.cachedInputTokens / row.inputTokens)} from a cache`;
  return (
    <tr className="border-t border-line">
      <RowName title={row.name}>{row.name}</RowName>
      <Td>
        <Money microUsd={row.microUsd} />
      </Td>
      <Td>
        {row.calls.toLocaleString("en")}
        {row.refused > 0 ? <span className="text-warn"> +{row.refused} refused</span> : undefined}
      </Td>
      <Td title={`${row.inputTokens.toLocaleString("en")}${cached}`}>{countText(row.inputTokens)}</Td>
      <Td title={row.outputTokens.toLocaleString("en")}>{countText(row.outputTokens)}</Td>
      <Td>{row.attempts === 0 ? "–" : `${row.accepted} of ${row.attempts}`}</Td>
      <Td>{row.microUsdPerAccepted === undefined ? "–" : <Money microUsd={row.microUsdPerAccepted} />}</Td>
      <Td left>
        <Figures row={row} />
      </Td>
    </tr>
  );
}

/** Where the figures come from, as far as it is not all reported. */
function Figures({ row }: { row: ViewRow }) {
  const { estimated, unknown } = row.figures;
  const tags = [
    ...(row.scripted > 0
      ? [{ tone: "plain", text: "scripted", title: `${row.scripted} calls were answered by a scripted model: no money was spent on them` }]
      : []),
    ...(estimated.calls > 0 ? [{ tone: "warn", text: "estimated", title: `${estimated.calls} calls were counted from what passed` }] : []),
    ...(unknown.calls > 0
      ? [{ tone: "warn", text: "bounded", title: `Of ${unknown.calls} calls only the most they can have cost is known` }]
      : []),
    ...(row.listPriced > 0
      ? [
          {
            tone: "plain",
            text: "list price",
            title: `${row.listPriced} calls on an agent's own login: its subscription was charged otherwise`,
          },
        ]
      : []),
    ...(row.ownWord > 0
      ? [{ tone: "warn", text: "own word", title: `${row.ownWord} calls without a gateway: the tokens are the agent's own word` }]
      : []),
  ] as const;
  return (
    <span className="flex flex-wrap gap-1">
      {tags.length === 0 ? <span className="text-xs text-muted">{row.calls === 0 ? "no calls" : "reported"}</span> : undefined}
      {tags.map((tag) => (
        <Tag key={tag.text} tone={tag.tone as "plain" | "warn"} title={tag.title}>
          {tag.text}
        </Tag>
      ))}
    </span>
  );
}
