import type { Provenance } from "../../domain/index.ts";
import { costOf, type InputTokens, type Tokens } from "./prices.ts";
import type { ModelPrice } from "./contract.ts";
import type { Outcome } from "./spool.ts";

/** How far a call had come when it ended. */
export type CallEnd =
  /** The upstream reported what was used, whatever happened otherwise. */
  | { kind: "reported"; tokens: Tokens; outcome: Outcome }
  /** An answer passed, whole or cut, and no figures came with it, or only those of the input. */
  | { kind: "passed"; input?: InputTokens | undefined; outputTokens: number; outcome: Outcome }
  /** Nothing was sent, or the upstream answered with an error of the request's own (4xx): such calls are not charged. */
  | { kind: "not-charged" }
  /** The upstream answered with an error of its own (5xx): nobody charges for these, but nobody says so either. */
  | { kind: "upstream-error" }
  /** It was sent and no answer was seen: what was made of it in the meantime nobody tells. */
  | { kind: "no-answer"; outcome: Outcome };

export interface Reservation {
  inputTokens: number;
  maxOutputTokens: number;
  microUsd: number;
}

export interface Figures extends Tokens {
  provenance: Provenance;
  outcome: Outcome;
  microUsd: number;
}

/**
 * What a call is settled at. Pure. Without a known price the money is `unknown`, also where the tokens are reported: nothing is claimed to
 * have been free that was not.
 */
export function settle(end: CallEnd, reserved: Reservation, price: ModelPrice | undefined, isUnpriced = false): Figures {
  const isKnown = price !== undefined && !isUnpriced;
  const nothing = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0 };
  switch (end.kind) {
    case "reported":
      return { ...end.tokens, provenance: isKnown ? "reported" : "unknown", outcome: end.outcome, microUsd: costOf(end.tokens, price) };
    case "passed": {
      const tokens = {
        ...(end.input ?? { inputTokens: reserved.inputTokens, cachedInputTokens: 0 }),
        outputTokens: end.outputTokens,
      };
      return { ...tokens, provenance: isKnown ? "estimated" : "unknown", outcome: end.outcome, microUsd: costOf(tokens, price) };
    }
    case "not-charged":
      return { ...nothing, provenance: "reported", outcome: "failed", microUsd: 0 };
    case "upstream-error":
      return { ...nothing, provenance: "estimated", outcome: "failed", microUsd: 0 };
    case "no-answer":
      return {
        inputTokens: reserved.inputTokens,
        cachedInputTokens: 0,
        outputTokens: reserved.maxOutputTokens,
        provenance: "unknown",
        outcome: end.outcome,
        microUsd: reserved.microUsd,
      };
    default:
      return end satisfies never;
  }
}
