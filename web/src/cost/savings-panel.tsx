import type { Savings } from "../data/index.ts";
import { Money, Panel, percentText, plural, Tag } from "../ui/index.ts";

const names: Readonly<Record<string, string>> = {
  "always-premium": "Everything by the premium tier",
  "best-single": "Everything by the best single agent",
};

/** What the same work would have cost otherwise. Estimates, each with its range and how it was made. */
export function SavingsPanel({ savings }: { savings: Savings }) {
  if (savings.kind === "too-little")
    return (
      <Panel title="Savings">
        <p className="text-muted">
          Not known yet: {plural(savings.steps, "step was", "steps were")} judged, and at least {savings.needed} are needed to say what the
          same work would have cost otherwise.
        </p>
      </Panel>
    );
  return (
    <Panel title="Savings" aside={<Tag tone="warn">estimates: it was not done otherwise</Tag>}>
      <p className="mb-2 text-muted">
        {plural(savings.steps, "judged step")} cost <Money microUsd={savings.spentMicroUsd} />.
      </p>
      <ul className="flex flex-col gap-3">
        {savings.counterfactuals.map((other) => (
          <li key={other.name} className="flex flex-col gap-0.5">
            <p>
              <span className="font-medium">{names[other.name] ?? other.name}</span> <span className="text-muted">({other.agent})</span>{" "}
              would have cost <Money microUsd={Math.round(other.microUsd.mean)} />
              <Range low={other.microUsd.low} high={other.microUsd.high} />.{" "}
              {other.saved.mean >= 0 ? (
                <span className="text-good">
                  Saved <Money microUsd={Math.round(other.saved.mean)} />
                </span>
              ) : (
                <span className="text-bad">
                  It would have been <Money microUsd={Math.round(-other.saved.mean)} /> cheaper
                </span>
              )}
              <Range low={other.saved.low} high={other.saved.high} />
              {other.saved.low < 0 && other.saved.high > 0 ? ", perhaps nothing" : ""}.
            </p>
            <p className="text-xs text-muted">
              {other.right
                ? `Right results: ${percentText(other.right.counterfactual.mean)} (${percentText(other.right.counterfactual.low)} to ${percentText(other.right.counterfactual.high)}); as it was done ${percentText(other.right.actual)}. `
                : `How often it would be right is not known: ${plural(other.attempts, "attempt")} of it. `}
              {other.method}
            </p>
          </li>
        ))}
      </ul>
      {savings.missing.map((why) => (
        <p key={why} className="mt-2 text-xs text-muted">
          Not computed: {why}.
        </p>
      ))}
    </Panel>
  );
}

function Range({ low, high }: { low: number; high: number }) {
  return (
    <span className="text-xs text-muted">
      {" "}
      (95 %: <Money microUsd={Math.round(low)} /> to <Money microUsd={Math.round(high)} />)
    </span>
  );
}
