import { usd } from "../../domain/index.ts";
import type { DefaultTier, PlainPrice } from "./contract.ts";

/** The dearest that is still `mid`, per million tokens. */
const MOST_OF_MID = usd(5);

/** One price for both directions, per million tokens: coding agents send about three tokens for each that they get. */
export const blended = ({ input, output }: PlainPrice): number => Math.round((3 * input + output) / 4);

/** `free` is what costs nothing: a hosted model, however cheap, is not. */
export function tierOfPrice(price: PlainPrice): DefaultTier {
  const perMillion = blended(price);
  if (price.input === 0 && price.output === 0) return "free";
  return perMillion <= MOST_OF_MID ? "mid" : "premium";
}
