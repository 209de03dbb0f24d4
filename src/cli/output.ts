/** Where text goes. stdout is data, stderr is progress. */
export interface Output {
  /** A line of data. */
  data(text: string): void;
  /** A line of progress or of advice. */
  note(text: string): void;
  /** One JSON value as a line of data. */
  json(value: unknown): void;
  /** Where a live view may be drawn; absent off a terminal. */
  readonly terminal: NodeJS.WriteStream | undefined;
  /** Aborts when nobody reads stdout any more. */
  readonly unread: AbortSignal;
  /** Whether stdout takes colour. */
  readonly colour: boolean;
  /** Resolves when everything was handed to the system. */
  flush(): Promise<void>;
}

export interface Streams {
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
}

/**
 * `stepfall ps | head -1` closes our stdout in mid-work: that is no error. What is written after it is dropped, and commands that only
 * print can stop by `unread`.
 */
export function openOutput({ stdout, stderr }: Streams, env: Readonly<Record<string, string | undefined>>): Output {
  const unread = new AbortController();
  const guard = (stream: NodeJS.WriteStream, onGone: () => void): void => {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE" && error.code !== "ERR_STREAM_DESTROYED") throw error;
      onGone();
    });
  };
  let noStderr = false;
  guard(stdout, () => unread.abort());
  guard(stderr, () => (noStderr = true));
  const shownOn = (stream: NodeJS.WriteStream, text: string): string => (stream.isTTY ? harmless(text) : text);
  const data = (text: string): void => {
    if (!unread.signal.aborted) stdout.write(`${shownOn(stdout, text)}\n`);
  };
  const plain = env["NO_COLOR"] !== undefined && env["NO_COLOR"] !== "";
  const dumb = env["TERM"] === "dumb";
  return {
    data,
    note: (text) => {
      if (!noStderr) stderr.write(`${shownOn(stderr, text)}\n`);
    },
    // JSON hides C0 controls only.
    json: (value) => data(JSON.stringify(value)),
    terminal: stderr.isTTY && !dumb && !env["CI"] ? stderr : undefined,
    unread: unread.signal,
    colour: stdout.isTTY && !plain && !dumb,
    flush: async () => {
      await Promise.all(
        [stdout, stderr].map((s) => new Promise<void>((resolve) => (s.destroyed ? resolve() : s.write("", () => resolve())))),
      );
    },
  };
}

// oxlint-disable-next-line no-control-regex
const CONTROL = /\u001b\[[\d;]*m|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/**
 * Colours, lines and tabs as they are; whatever else would move the cursor, set the title or fill the clipboard of the terminal is shown and not
 * done: what agents and programs print comes by here.
 */
const harmless = (text: string): string =>
  text
    .replaceAll("\r\n", "\n")
    .replaceAll(CONTROL, (found) => (found.length > 1 ? found : `\\x${found.charCodeAt(0).toString(16).padStart(2, "0")}`));

const codes = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] } as const;

/** Text in a style, or as it is where there is no colour. */
export type Paint = (style: keyof typeof codes, text: string) => string;

export const painter = (colour: boolean): Paint =>
  colour
    ? (style, text) => {
        const [on, off] = codes[style];
        return `\u001b[${on}m${text}\u001b[${off}m`;
      }
    : (_, text) => text;
