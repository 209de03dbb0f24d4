/** What the run's page does on a key. */
export type RunKey =
  | { do: "walk"; direction: "up" | "down" | "left" | "right" }
  | { do: "show"; tab: "log" | "diff" }
  | { do: "follow" }
  | { do: "step"; by: -1 | 1 }
  | { do: "escape" };

/** `undefined`: not ours. Keys with Ctrl, Alt or Meta are the browser's. */
export function runKey(key: string): RunKey | undefined {
  switch (key) {
    case "ArrowUp":
      return { do: "walk", direction: "up" };
    case "ArrowDown":
      return { do: "walk", direction: "down" };
    case "ArrowLeft":
      return { do: "walk", direction: "left" };
    case "ArrowRight":
      return { do: "walk", direction: "right" };
    case "l":
      return { do: "show", tab: "log" };
    case "d":
      return { do: "show", tab: "diff" };
    case "f":
      return { do: "follow" };
    case "[":
      return { do: "step", by: -1 };
    case "]":
      return { do: "step", by: 1 };
    case "Escape":
      return { do: "escape" };
    default:
      return undefined;
  }
}
