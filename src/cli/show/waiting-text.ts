import type { InboxRow } from "../../store/index.ts";
import { indent } from "./format.ts";

/** What is asked, and the commands that answer it. */
export function waitingText(
  row: Pick<InboxRow, "item" | "runId" | "kind" | "title" | "detail" | "choices">,
  call: (...words: string[]) => string,
): string {
  const lines = [`  ${row.title}`];
  if (row.detail) lines.push(indent(row.detail, "    "));
  switch (row.kind) {
    case "approval":
      lines.push(
        `    ${call("approve", row.item)}`,
        `    ${call("reject", row.item)}`,
        `    ${call("reject", row.item, "--rework", "WHAT TO CHANGE")}`,
      );
      break;
    case "permission":
      lines.push(`    ${call("approve", row.item)}`, `    ${call("reject", row.item)}`);
      break;
    case "question":
      if (row.choices.length > 0) for (const choice of row.choices) lines.push(`    ${call("answer", row.item, choice)}`);
      else lines.push(`    ${call("answer", row.item, "TEXT")}`);
      break;
    case "budget":
      for (const choice of row.choices) lines.push(`    ${call("answer", row.item, choice)}`);
      break;
    case "conflict":
      lines.push(`    ${call("show", row.runId)}`);
      break;
    default:
      row.kind satisfies never;
  }
  return lines.join("\n");
}
