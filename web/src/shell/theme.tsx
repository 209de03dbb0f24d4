import { useState } from "react";
import { Button } from "../ui/index.ts";

/** `system`: whatever the machine says. */
type Theme = "system" | "light" | "dark";

const KEY = "stepfall-theme";
const order = ["system", "light", "dark"] as const;

const chosen = (): Theme => order.find((t) => t === document.documentElement.dataset["theme"]) ?? "system";

function useTheme(): [Theme, () => void] {
  const [theme, setTheme] = useState<Theme>(chosen);
  const next = (): void => {
    const to = order[(order.indexOf(theme) + 1) % order.length] ?? "system";
    if (to === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = to;
    try {
      if (to === "system") localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, to);
    } catch {
      // Storage may be switched off: then it holds until the page is left.
    }
    setTheme(to);
    // What draws on a canvas has to look up its colours again.
    window.dispatchEvent(new Event("stepfall-theme"));
  };
  return [theme, next];
}

const words: Readonly<Record<Theme, string>> = { system: "system colours", light: "light", dark: "dark" };

/** Light, dark, or as the system says. */
export function ThemeButton() {
  const [theme, next] = useTheme();
  return (
    <Button small look="quiet" onClick={next} aria-label={`Colours: ${words[theme]}. Change them`}>
      <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true">
        <circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" strokeWidth="1.6" />
        <path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor" />
      </svg>
      {words[theme]}
    </Button>
  );
}
