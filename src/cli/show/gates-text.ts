import { formatUsd } from "../../domain/index.ts";
import { ENOUGH_TRUTH, type GateQuality, type GateReport, type Proportion } from "../../models/index.ts";
import { gateQualityText, percent } from "./cost-savings.ts";
import { cut, duration, integer } from "./format.ts";
import { table } from "./table.ts";

const LONGEST_NAME = 48;

/** Each gate a line; shares only where enough is known. `together`: what routing reckons with. */
export function gatesText(gates: readonly GateReport[], together: GateQuality): string {
  const right = (title: string) => ({ title, align: "right" as const });
  const rows = gates.map((gate) => {
    const { passed, refused, errored } = gate.verdicts;
    return [
      cut(gate.name, LONGEST_NAME),
      gate.kind,
      integer(passed),
      integer(refused),
      integer(errored),
      gate.takenForWrong > 0 ? `${integer(gate.known)} (+${integer(gate.takenForWrong)} taken for wrong)` : integer(gate.known),
      shareText(gate.falseAccepts) + (gate.caughtElsewhere > 0 ? `; ${integer(gate.caughtElsewhere)} caught by another gate` : ""),
      shareText(gate.falseRefusals),
      duration(gate.durationMs / Math.max(1, passed + refused + errored)),
      gate.microUsd === undefined ? "" : formatUsd(gate.microUsd),
    ];
  });
  const columns = [
    { title: "GATE" },
    { title: "KIND" },
    right("PASSED"),
    right("REFUSED"),
    right("ERRORED"),
    { title: "TRUTH KNOWN" },
    { title: "WRONG ACCEPTED" },
    { title: "RIGHT REFUSED" },
    right("TIME EACH"),
    right("COST"),
  ];
  return [
    table(columns, rows),
    "",
    `All gates of an attempt together: ${gateQualityText(together)}.`,
    "A refused result is taken for wrong unless `stepfall feedback` says otherwise. Intervals hold 95 %.",
  ].join("\n");
}

/** `3 of 12: 25 % (9 to 53 %)`, or that it is too little. */
function shareText({ hits, of, share, low, high }: Proportion): string {
  const counted = `${integer(hits)} of ${integer(of)}`;
  return of < ENOUGH_TRUTH
    ? `${counted}: too little known`
    : `${counted}: ${percent(share)} (${(100 * low).toFixed(0)} to ${percent(high)})`;
}
