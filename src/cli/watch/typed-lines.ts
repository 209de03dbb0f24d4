import { createInterface, clearLine, cursorTo } from "node:readline";
import type { Cli } from "../cli.ts";

/** What a person, or another program, writes to this program's standard input, a line at a time. */
export interface TypedLines extends Disposable {
  onLine(take: (text: string) => void): void;
  /** Prints something without breaking the line that is being typed. */
  above(print: () => void): void;
}

const PROMPT = "> ";

export function openTypedLines({ canAsk, out }: Pick<Cli, "canAsk" | "out">, input: NodeJS.ReadStream): TypedLines {
  const screen = canAsk ? out.terminal : undefined;
  const lines = createInterface({ input, ...(screen ? { output: screen, prompt: PROMPT } : {}), terminal: screen !== undefined });
  let isOpen = true;
  lines.on("close", () => (isOpen = false));
  lines.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
  lines.prompt();
  return {
    onLine: (take) => void lines.on("line", (text) => (take(text), screen && lines.prompt())),
    above(print) {
      if (!screen || !isOpen) return print();
      cursorTo(screen, 0);
      clearLine(screen, 0);
      print();
      lines.prompt(true);
    },
    [Symbol.dispose]() {
      if (screen && isOpen) {
        cursorTo(screen, 0);
        clearLine(screen, 0);
      }
      lines.close();
    },
  };
}
