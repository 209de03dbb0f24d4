/**
 * Why a text is no work but a promise of it; `undefined` when it may be work. Careful: a text is only called a placeholder when nothing
 * else is in it, or when a comment that was not there `before` says that something was left out here.
 */
export function placeholderIn(path: string, text: string, before = ""): string | undefined {
  if (text.trim() === "") return MAY_BE_EMPTY.test(path) ? undefined : "it is empty";
  const elided = text.split("\n").find((line) => ELISION.test(line) && !before.includes(line.trim()));
  if (elided !== undefined) return `it leaves something out: \`${elided.trim().slice(0, 80)}\``;
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const isProse = /\.(?:md|txt|rst|adoc)$/i.test(path);
  const rest = lines.filter((line) => !(isProse ? /^[#=*~-]+(?:\s|$)/ : /^(?:\/\/|#(?!include|define|!\[)|\/?\*+|<!--|--|;)/).test(line));
  const bare = rest.filter((line) => !ONLY_PROMISE.test(line));
  if (bare.length > 0) return isStub(path, bare) ? "all its functions have empty bodies" : undefined;
  // Nothing but comments or headings: a file of licences or notes is fine, one that says what is to be done is not.
  return rest.length > 0 || lines.some((line) => PROMISE_WORDS.test(line)) ? "it is only a promise of what should be there" : undefined;
}

/** By name, such files may hold nothing. */
const MAY_BE_EMPTY = /(?:^|\/)(?:__init__\.py|\.gitkeep|\.keep|py\.typed|\.nojekyll)$/;

/** A comment in the place of code: `// ... existing code ...`, `# rest of the file unchanged`. */
const ELISION =
  /^\s*(?:\/\/|#|\/\*|<!--|--|\{\/\*)\s*(?:(?:\.{3}|…)\s*(?:\(?(?:the )?(?:rest|existing|remaining|other|previous|same|unchanged|more|keep)\b)|(?:the )?(?:rest|remainder) of (?:the|your|this) (?:\w+ ){0,2}(?:remains|stays|is|goes|unchanged|here)\b|(?:existing|previous|original) (?:code|implementation|content)s? (?:here|unchanged|remains|goes here|stays)\b)/i;

const PROMISE_WORDS = /\b(?:TODO|FIXME|TBD|placeholder|not (?:yet )?implemented|to be (?:done|written|implemented))\b/i;

/** A line that is nothing but a promise. */
const ONLY_PROMISE =
  /^(?:\.{3}|…|pass|TODO:?.*|TBD\.?|FIXME:?.*|placeholder\.?|lorem ipsum.*|to be (?:done|written|implemented)\.?|coming soon\.?|todo!\(.*\);?|unimplemented!\(.*\);?|(?:raise|return) NotImplementedError.*|throw new Error\(["'`](?:TODO|not (?:yet )?implemented).*\);?)$/i;

/** Python of which every function says `...`, `pass` or NotImplementedError; not where that is the custom. */
function isStub(path: string, bare: readonly string[]): boolean {
  if (!path.endsWith(".py") || bare.some((line) => /Protocol|ABC\b|abstractmethod|overload/.test(line))) return false;
  const functions = bare.filter((line) => /^(?:async )?def .*:$/.test(line));
  const isOther = (line: string): boolean => !/^(?:(?:async )?def .*:|class .*:|from \S+ import .*|import .*|"""[^"]*""")$/.test(line);
  return functions.length > 0 && !bare.some(isOther);
}
