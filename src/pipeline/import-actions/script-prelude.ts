/** Which helpers the script of a job calls for. */
export interface PreludeParts {
  /** Its steps write to `$GITHUB_OUTPUT` and its like. */
  files: boolean;
  /** `$RUNNER_OS` and its like. */
  runner: boolean;
  /** Its outputs are read by other jobs. */
  json: boolean;
}

/** What comes before the steps: a copy of the project, and the variables that a runner would have set. */
export function prelude(parts: PreludeParts): string[] {
  return [
    "runner=$(mktemp -d) || exit 1",
    "trap 'rm -rf \"$runner\"' EXIT",
    "trap 'exit 143' INT TERM",
    "project=$PWD",
    "# What the job leaves behind ends with it, as on a runner: it works on a copy.",
    'cp -R . "$runner/work" && cd "$runner/work" || exit 1',
    'export CI=true GITHUB_WORKSPACE="$PWD"',
    "failed=0",
    ...(parts.runner ? RUNNER : []),
    ...(parts.files ? FILES : []),
    ...(parts.json ? JSON_TEXT : []),
  ];
}

const RUNNER = [
  'mkdir "$runner/temp" && export RUNNER_TEMP="$runner/temp"',
  'case "$(uname -s)" in (Darwin) RUNNER_OS=macOS ;; (*) RUNNER_OS=Linux ;; esac',
  'case "$(uname -m)" in (arm64|aarch64) RUNNER_ARCH=ARM64 ;; (*) RUNNER_ARCH=X64 ;; esac',
  "export RUNNER_OS RUNNER_ARCH",
];

const FILES = [
  'export GITHUB_OUTPUT="$runner/output" GITHUB_ENV="$runner/env" GITHUB_PATH="$runner/path" GITHUB_STEP_SUMMARY="$runner/summary"',
  ': > "$GITHUB_OUTPUT"; : > "$GITHUB_ENV"; : > "$GITHUB_PATH"; : > "$GITHUB_STEP_SUMMARY"',
  "# read_pairs FILE PREFIX: NAME=VALUE, and NAME<<END with lines up to END, become variables",
  "read_pairs() {",
  "  while IFS= read -r line; do",
  "    name=${line%%=*} value=${line#*=}",
  '    case "$name" in (*"<<"*)',
  "      end=${line#*<<} name=${line%%<<*} value= separator=",
  '      while IFS= read -r line && [ "$line" != "$end" ]; do value="$value$separator$line" separator="',
  '"; done ;;',
  "    esac",
  '    [ -z "$name" ] || export "$2$(printf %s "$name" | tr -c A-Za-z0-9_ _)=$value"',
  '  done < "$1"',
  '  : > "$1"',
  "}",
  "# keep PREFIX: what the last step wrote for those after it",
  "keep() {",
  '  while IFS= read -r line; do PATH="$line:$PATH"; done < "$GITHUB_PATH"',
  '  : > "$GITHUB_PATH"',
  '  read_pairs "$GITHUB_ENV" ""',
  '  read_pairs "$GITHUB_OUTPUT" "$1"',
  "}",
];

const JSON_TEXT = [
  "# json TEXT: the text as JSON",
  `json() { printf %s "$1" | sed -e 's/\\\\/\\\\\\\\/g' -e 's/"/\\\\"/g' | awk 'BEGIN { printf "\\"" } { printf "%s%s", s, $0; s = "\\\\n" } END { print "\\"" }'; }`,
];
