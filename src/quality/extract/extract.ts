import type { Extraction, ExtractOptions } from "./contract.ts";
import { ExtractStream } from "./stream.ts";

/** What a reply asks to do to files. Invents nothing: code without a name is reported, not placed. */
export function extract(reply: string, options: ExtractOptions = {}): Extraction {
  const stream = new ExtractStream(options);
  const first = stream.push(reply);
  const last = stream.end();
  return {
    edits: [...first.edits, ...last.edits],
    refused: [...first.refused, ...last.refused],
    unplaced: [...first.unplaced, ...last.unplaced],
  };
}
