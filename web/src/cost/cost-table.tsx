import type { Cost, ViewRow } from "../data/index.ts";
import { countText, Money, percentText, Tag } from "../ui/index.ts";

const head = "px-3 py-2 text-xs font-medium text-muted whitespace-nowrap";
const th = `${head} text-right`;
const thLeft = `${head} text-left`;
const td = "px-3 py-1.5 text-right whitespace-nowrap";

/** The figures themselves, each with where it comes from. */
export function CostTable({ cost }: { cost: Cost }) {
  return (
    <div className="overflow-x-auto" tabIndex={0} role="region" aria-label={`Cost by ${cost.by}`}>
      <table className="w-full">
        <thead>
          <tr>
            <th className={thLeft}>{cost.by}</th>
            <th className={th}>Cost</th>
            <th className={th}>Calls</th>
            <th className={th} title="Input tokens, with those that were cached">
              Tokens in
            </th>
            <th className={th}>Tokens out</th>
            <th className={th} title="Attempts that the gates accepted, of those that began">
              Accepted
            </th>
            <th className={th} title="All of the row's money over its accepted attempts">
              Per accepted
            </th>
            <th className={thLeft}>Figures</th>
          </tr>
        </thead>
        <tbody>
          {cost.rows.map((row) => (
            <Row key={row.name} row={row} />
          ))}
        </tbody>
        <tfoot className="border-t-2 border-line font-medium">
          <Row row={cost.total} />
        </tfoot>
      </table>
    </div>
  );
}

function Row({ row }: { row: ViewRow }) {
  const uncached = row.inputTokens === 0 ? undefined : row.cachedInputTokens / row.inputTokens;
  return (
    <tr className="border-t border-line">
      <th scope="row" className="max-w-72 truncate px-3 py-1.5 text-left font-normal" title={row.name}>
        {row.name}
      </th>
      <td className={td}>
        <Money microUsd={row.microUsd} />
      </td>
      <td className={td}>
        {row.calls.toLocaleString("en")}
        {row.refused > 0 ? <span className="text-warn"> +{row.refused} refused</span> : undefined}
      </td>
      <td
        className={td}
        title={`${row.inputTokens.toLocaleString("en")}${uncached === undefined ? "" : `, ${percentText(uncached)} from a cache`}`}
      >
        {countText(row.inputTokens)}
      </td>
      <td className={td} title={row.outputTokens.toLocaleString("en")}>
        {countText(row.outputTokens)}
      </td>
      <td className={td}>{row.attempts === 0 ? "–" : `${row.accepted} of ${row.attempts}`}</td>
      <td className={td}>{row.microUsdPerAccepted === undefined ? "–" : <Money microUsd={row.microUsdPerAccepted} />}</td>
      <td className="px-3 py-1.5">
        <Figures row={row} />
      </td>
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
      {tags.length === 0 ? <span className="text-xs text-muted">reported</span> : undefined}
      {tags.map((tag) => (
        <Tag key={tag.text} tone={tag.tone as "plain" | "warn"} title={tag.title}>
          {tag.text}
        </Tag>
      ))}
    </span>
  );
}
