import type { ReadReply } from "../agents/index.ts";
import { applyEdits, checkSyntax, extract, refuseFaulty } from "../quality/index.ts";

/** What a reply makes of files. Code without a name is an example, and no problem. */
export const readReply: ReadReply = async (reply, { has, read }) => {
  const { edits, refused, unplaced } = extract(reply, { has });
  const { files, problems } = await refuseFaulty(applyEdits(edits, read), read, checkSyntax);
  return {
    files,
    problems: [
      ...refused.map(({ path, reason }) => `${path} is refused: ${reason}.`),
      ...unplaced
        .filter(({ kind }) => kind === "broken")
        .map(({ path, why, line, excerpt }) => `${path === undefined ? "" : `${path}: `}${why} (line ${line} of your message: ${excerpt})`),
      ...problems.map(({ message }) => message),
    ],
  };
};
