import { Box, render, Text } from "ink";
import { createElement, memo, type ReactElement } from "react";
import type { ScreenLine } from "./screen.ts";

const FRAMES_A_SECOND = 10;

const Line = memo(function Line({ text, tint, isBold, isSelected, colour }: Omit<ScreenLine, "key"> & { colour: boolean }): ReactElement {
  const style = { wrap: "truncate-end" as const, ...(colour && tint ? { color: tint } : {}), ...(colour && isBold ? { bold: true } : {}) };
  // Without colours it must be seen as well.
  return createElement(Text, { ...style, ...(isSelected && colour ? { inverse: true } : {}) }, `${isSelected ? "›" : " "} ${text}`);
});

const Screen = ({ lines, colour }: { lines: readonly ScreenLine[]; colour: boolean }): ReactElement =>
  createElement(Box, { flexDirection: "column" }, ...lines.map(({ key, ...line }) => createElement(Line, { key, ...line, colour })));

export interface Drawing {
  draw(lines: readonly ScreenLine[]): void;
  /** Leaves the terminal as it shall stay. */
  end(): Promise<void>;
}

/** Lines redrawn in place. No alternate screen: what is above stays, and the last state remains in the scrollback. Reads no keys. */
export function openDrawing(terminal: NodeJS.WriteStream, colour: boolean): Drawing {
  const screen = (lines: readonly ScreenLine[]): ReactElement => createElement(Screen, { lines, colour });
  const ink = render(screen([]), {
    // Whether this is a terminal was decided by whoever opened the view; ink would also ask the environment.
    interactive: true,
    stdout: terminal,
    stderr: terminal,
    exitOnCtrlC: false,
    patchConsole: false,
    maxFps: FRAMES_A_SECOND,
    incrementalRendering: true,
  });
  return {
    draw: (lines) => ink.rerender(screen(lines)),
    async end() {
      ink.unmount();
      await ink.waitUntilExit();
    },
  };
}
