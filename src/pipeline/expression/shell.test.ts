import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { shellPlaces, shellWord } from "./shell.ts";
import { parseTemplate, type Part } from "./template.ts";

const partsOf = (text: string): Part[] => {
  const parsed = parseTemplate(text);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.parts;
};
/** The command with `values` in the places of its expressions; undefined when it is refused. */
function filled(template: string, values: readonly string[]): string | undefined {
  const parts = partsOf(template);
  const places = shellPlaces(parts);
  if (!places.ok) return undefined;
  let n = 0;
  return parts.map((p) => (p.kind === "text" ? p.text : shellWord(values[n] ?? "", places.quoting[n++] ?? "plain"))).join("");
}

// What shells make something of, and what people think they do not.
const hostile = fc
  .oneof(
    fc.string({ unit: "grapheme", maxLength: 12 }),
    fc
      .array(
        fc.constantFrom(
          "'",
          '"',
          "\\",
          "`",
          "$(touch owned)",
          "`touch owned`",
          "$HOME",
          ";touch owned;",
          "\n",
          "\ntouch owned\n",
          "#",
          " ",
          "&",
          "|",
          "${x}",
          "*",
          "~",
          "!",
          "'\\''",
          "\t",
          "EOF",
          "))",
          "-n",
        ),
        { maxLength: 6 },
      )
      .map((a) => a.join("")),
  )
  .map((text) => text.toWellFormed().replaceAll("\0", ""));

/** Each template with the words that a command must see; `@` is where the value goes. */
const templates: [string, string[]][] = [
  ["p ${{ v }}", ["@"]],
  ["p a${{ v }}b", ["a@b"]],
  ['p "a ${{ v }} b"', ["a @ b"]],
  ["p 'a ${{ v }} b'", ["a @ b"]],
  ['p "${{ v }}"x', ["@x"]],
  ["p x\\ ${{ v }}", ["x @"]],
  ['p "$UNSET" ${{ v }}', ["", "@"]],
  ["p ${UNSET}x ${{ v }}", ["x", "@"]],
  ["p don\\'t ${{ v }}", ["don't", "@"]],
  ["p \\\n  ${{ v }}", ["@"]],
  ['true # it\'s "a" comment\np ${{ v }}', ["@"]],
  ["p ''#x ${{ v }}", ["#x", "@"]],
  ['V=${{ v }}; p "$V"', ["@"]],
  ["if true; then p ${{ v }}; fi", ["@"]],
  ['for x in ${{ v }}; do p "$x"; done', ["@"]],
  ["(p ${{ v }})", ["@"]],
  ["{ p ${{ v }}; } 2>&1", ["@"]],
  ["case x in x) p ${{ v }};; esac", ["@"]],
  ["p ${{ v }} $(true)", ["@"]],
  ["! p ${{ v }} || p ${{ v }}", ["@", "@"]],
];

test("any value arrives as one word, wherever it may stand, and is never executed", () => {
  const folder = mkdtempSync(join(tmpdir(), "stepfall-shell-"));
  // `p` prints its words, each ended by a byte that no value holds.
  const p = 'p() { for w in "$@"; do printf \'%s\\001\' "$w"; done; }\n';
  try {
    for (const shell of ["sh", ...(existsSync("/bin/bash") ? ["bash"] : [])]) {
      fc.assert(
        fc.property(hostile, (raw) => {
          const value = raw.replaceAll("\u0001", "");
          // One shell for all templates: a process costs more than the rest.
          const script =
            p + templates.map(([template]) => `{ ${filled(template, [value, value]) ?? "exit 9"}\n}; printf '\\002'`).join("\n");
          const out = execFileSync(shell, ["-c", script], {
            cwd: folder,
            env: { PATH: "/usr/bin:/bin" },
            encoding: "utf8",
            stdio: ["ignore", "pipe", "ignore"],
          });
          const seen = out
            .split("\u0002")
            .slice(0, -1)
            .map((words) => words.split("\u0001").slice(0, -1));
          expect(seen).toEqual(templates.map(([, words]) => words.map((w) => w.replace("@", () => value))));
          expect(existsSync(join(folder, "owned"))).toBe(false);
        }),
        { numRuns: shell === "sh" ? 150 : 50 },
      );
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.each([
  "${{ v }}",
  "${{ v }} x",
  "x; ${{ v }}",
  "x && ${{ v }}",
  "x | ${{ v }}",
  "A=1 ${{ v }}",
  "sudo ${{ v }}",
  "! ${{ v }}",
  "if ${{ v }}; then x; fi",
  "./bin/${{ v }}.sh",
  "> out ${{ v }}",
  "2>out ${{ v }}",
  "x $(y ${{ v }})",
  "x `y ${{ v }}`",
  'x "$(y ${{ v }})"',
  "x $(date) ${{ v }}",
  "x ${y:-'} ${{ v }}",
  "x $'a\\'b' ${{ v }}",
  "cat <<EOF\nx ${{ v }}\nEOF",
  "cat <<'E'\n'\nE\nx ${{ v }}",
  "x # ${{ v }}",
  "x \\\n# ${{ v }}",
  "x \\${{ v }}",
  'x "\\${{ v }}"',
  "eval ${{ v }}",
  "sh -c ${{ v }}",
  "env sh -ec ${{ v }}",
  "/bin/bash -c 'x ${{ v }}'",
  "ssh host ${{ v }}",
  "x $((${{ v }}))",
  "((x = ${{ v }}))",
  "[[ 1 -eq ${{ v }} ]]",
  "let x=${{ v }}",
])("%j is refused: the value would be read as shell, or might", (template) => {
  expect(shellPlaces(partsOf(template)).ok).toBe(false);
});

test("whatever the command, it is refused or its values are only words", () => {
  const folder = mkdtempSync(join(tmpdir(), "stepfall-shell-"));
  const piece = fc.constantFrom(
    "x ",
    "'",
    '"',
    "\\",
    " ",
    "\n",
    ";",
    "|",
    "&",
    "(",
    ")",
    "{ ",
    "}",
    "#",
    "$",
    "$x",
    "${x}",
    "`",
    "$(",
    "<",
    ">",
    "<<E",
    "a=",
    "if ",
    "then ",
    "${{ v }}",
    "${{ v }}",
    "$'",
    "[[ ",
    "-",
    "2>",
  );
  // The value breaks out of either kind of quotes, and of a comment.
  const value = "\"'\n touch owned #';touch owned;\"`touch owned`$(touch owned)\\";
  try {
    const commands = fc.sample(fc.array(piece, { minLength: 2, maxLength: 12 }), { numRuns: 3000, seed: 7 }).map((a) => a.join(""));
    const scripts = commands.flatMap((command) => {
      const parsed = parseTemplate(command);
      return parsed.ok && parsed.parts.some((p) => p.kind === "expression") ? (filled(command, Array<string>(12).fill(value)) ?? []) : [];
    });
    expect(scripts.length).toBeGreaterThan(20);
    // Many in one process; a script that is no shell at all ends its own child only.
    const all = scripts.map((script) => `(sh -c ${shellWord(script, "plain")}) </dev/null >/dev/null 2>&1`).join("\n");
    execFileSync("sh", ["-c", `${all}\ntrue`], { cwd: folder, env: { PATH: "/usr/bin:/bin" }, stdio: "ignore", timeout: 60_000 });
    expect(existsSync(join(folder, "owned"))).toBe(false);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
