import { createRequire } from "node:module";
import type { countTokens as CountTokens } from "gpt-tokenizer/encoding/o200k_base";

const require = createRequire(import.meta.url);
let loaded: typeof CountTokens | undefined;
/** Its table takes 70 ms and 50 MB: only the gateway and the scripted model count, so only they load it. */
const tokenizer = (): typeof CountTokens =>
  (loaded ??= (require("gpt-tokenizer/encoding/o200k_base") as { countTokens: typeof CountTokens }).countTokens);

/** `<|endoftext|>` and its like are counted as the plain text they are in a prompt, instead of throwing. */
const asPlainText = { allowedSpecial: new Set<string>(), disallowedSpecial: new Set<string>() };

/** The tokenizer is quadratic in one unbroken run of characters (100,000 times "a" take 8 seconds), so such text is cut. */
const unbroken = /\S{400}|\s{400}/;
const pieceLength = 256;
const countedLength = 1_000_000;

/**
 * Tokens of a text in OpenAI's o200k_base encoding. Other vendors count differently, so this is an estimate for them. Beyond the first
 * million characters the rest is taken in proportion.
 */
export function countTokens(text: string): number {
  if (text === "") return 0;
  const count = tokenizer();
  const head = text.length > countedLength ? text.slice(0, countedLength) : text;
  let tokens = 0;
  if (!unbroken.test(head)) tokens = count(head, asPlainText);
  else for (let at = 0; at < head.length; at += pieceLength) tokens += count(head.slice(at, at + pieceLength), asPlainText);
  return head === text ? tokens : Math.ceil((tokens * text.length) / countedLength);
}
