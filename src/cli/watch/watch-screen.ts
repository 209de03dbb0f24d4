import { emitKeypressEvents } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { Control } from "../../control/index.ts";
import type { Cli } from "../cli.ts";
import { commandLine } from "../show/summary.ts";
import { carryOutAct } from "./act.ts";
import { openDrawing } from "./draw.ts";
import { entriesOf, type Scene } from "./entries.ts";
import { firstUi, press, settled, type Act, type Key } from "./keys.ts";
import type { Lookout } from "./lookout.ts";
import { screenOf } from "./screen.ts";

const LOOK_MS = 300;
const FRAME_MS = 100;

/** Where keys come from; absent where nobody is to be asked. */
export type Keyboard = Pick<NodeJS.ReadStream, "setRawMode" | "on" | "off" | "resume" | "pause">;

/** How a look at the screen ended. */
export type Left = "left" | "interrupted" | "over";

/** Shows runs until the one that was named is over, or the person leaves. It asks for what keys say and drives nothing. */
export async function watchOnScreen(
  cli: Cli,
  {
    control,
    lookout,
    only,
    terminal,
    keyboard,
  }: {
    control: Pick<Control, "answer" | "message" | "cancel">;
    lookout: Lookout;
    only: string | undefined;
    terminal: NodeJS.WriteStream;
    keyboard: Keyboard | undefined;
  },
): Promise<Left> {
  let ui = firstUi(only);
  let left: Left | undefined;
  let acting: Promise<unknown> = Promise.resolve();
  const scene = (): Scene => ({ runs: lookout.runs, items: lookout.items, now: cli.clock.now() });
  const drawing = openDrawing(terminal, !cli.env["NO_COLOR"]);
  const call = (...words: string[]): string => commandLine(cli, ...words);
  let isDue = false;
  const draw = (): void => {
    isDue = false;
    ui = settled(ui, entriesOf(scene(), ui.run, ui.unfolded));
    drawing.draw(
      screenOf(scene(), ui, { height: terminal.rows || 24, width: terminal.columns || 80, canAct: keyboard !== undefined, call }),
    );
  };
  const act = (wanted: Act): void => {
    if (wanted.kind === "leave") left = wanted.isInterrupt ? "interrupted" : "left";
    else {
      ui = { ...ui, note: wanted.kind === "cancel" ? "Cancelling ..." : "..." };
      acting = acting.then(async () => (ui = { ...ui, note: await carryOutAct(cli, control, wanted).catch(notDone) }));
    }
  };
  const onKey = (_: string, key: Key): void => {
    const pressed = press(ui, key, entriesOf(scene(), ui.run, ui.unfolded), scene());
    ui = pressed.ui;
    if (pressed.act) act(pressed.act);
    draw();
  };
  using _keys = keyboard && readKeys(keyboard, onKey);
  await lookout.look();
  draw();
  // Elapsed times go on while something runs.
  const timer = setInterval(() => void ((isDue || lookout.runs.some((r) => r.state.running.size > 0)) && draw()), FRAME_MS);
  try {
    while (left === undefined) {
      await lookout.look();
      isDue = true;
      if (only !== undefined && lookout.runs[0]?.row.endedAt !== undefined) left = "over";
      for (const end = performance.now() + LOOK_MS; left === undefined && performance.now() < end;) await sleep(FRAME_MS / 2);
    }
    await acting;
    ui = { ...ui, asking: undefined, pane: "none" };
  } finally {
    clearInterval(timer);
    drawing.draw(screenOf(scene(), ui, { height: terminal.rows || 24, width: terminal.columns || 80, canAct: false, call }));
    await drawing.end();
  }
  return left;
}

/** What nobody expected is told like the rest: the view goes on, and so does the run. */
const notDone = (error: unknown): string => `Not done: ${error instanceof Error ? error.message : String(error)}`;

function readKeys(keyboard: Keyboard, onKey: (text: string, key: Key) => void): Disposable {
  emitKeypressEvents(keyboard as NodeJS.ReadStream);
  keyboard.setRawMode(true);
  keyboard.on("keypress", onKey);
  keyboard.resume();
  return {
    [Symbol.dispose]() {
      keyboard.off("keypress", onKey);
      keyboard.setRawMode(false);
      keyboard.pause();
    },
  };
}
