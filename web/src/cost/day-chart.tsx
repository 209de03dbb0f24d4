import { useEffect, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { formatUsd } from "../../../src/domain/index.ts";
import type { ViewRow } from "../data/index.ts";
import { dayIn, fillDays } from "./fill-days.ts";

const HEIGHT = 170;

/** What was spent day by day; days without a call are there, at nothing. The table below says the same in figures. */
export function DayChart({ rows, since, timeZone }: { rows: readonly ViewRow[]; since: number | undefined; timeZone: string }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const at = box.current;
    if (!at) return;
    const days = fillDays(
      rows.map(({ name, microUsd }) => ({ day: name, microUsd })),
      { ...(since === undefined ? {} : { from: dayIn(timeZone, since) }), to: dayIn(timeZone, Date.now()) },
    );
    const draw = (): uPlot =>
      new uPlot(options(at), [days.map((d) => d.at / 1000), days.map((d) => (d.microUsd === 0 ? null : d.microUsd))], at);
    let plot = draw();
    const resize = new ResizeObserver(() => plot.setSize({ width: at.clientWidth, height: HEIGHT }));
    resize.observe(at);
    // A canvas does not follow the colours of the page by itself.
    const redraw = (): void => {
      plot.destroy();
      plot = draw();
    };
    const system = window.matchMedia("(prefers-color-scheme: dark)");
    window.addEventListener("stepfall-theme", redraw);
    system.addEventListener("change", redraw);
    return () => {
      resize.disconnect();
      window.removeEventListener("stepfall-theme", redraw);
      system.removeEventListener("change", redraw);
      plot.destroy();
    };
  }, [rows, since, timeZone]);
  return <div ref={box} aria-hidden="true" className="w-full text-muted" style={{ height: HEIGHT }} />;
}

function options(at: HTMLElement): uPlot.Options {
  const colour = (token: string): string => {
    const probe = document.createElement("span");
    probe.style.color = `var(--color-${token})`;
    at.append(probe);
    const found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  };
  const [muted, line, accent] = [colour("muted"), colour("line"), colour("accent")];
  const axis = { stroke: muted, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 } };
  const bars = uPlot.paths.bars?.({ size: [0.6, 48] });
  return {
    width: at.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    // Days are named as they are in the ledger, whatever zone the reader is in.
    tzDate: (ts) => uPlot.tzDate(new Date(ts * 1000), "Etc/UTC"),
    scales: { x: { range: (_, from, to) => [from - 43_200, to + 43_200] }, y: { range: (_, __, to) => [0, to * 1.05] } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 28,
        space: 60,
        incrs: [1, 2, 7, 30].map((days) => days * 86_400),
        values: (_, ticks) => ticks.map(dayText),
      },
      { ...axis, size: 70, values: (_, ticks) => ticks.map((tick) => formatUsd(Math.round(tick))) },
    ],
    series: [{}, { stroke: accent, fill: accent, ...(bars ? { paths: bars } : {}), points: { show: false } }],
  };
}

const dayText = (at: number): string => new Date(at * 1000).toLocaleDateString("en", { day: "numeric", month: "short", timeZone: "UTC" });
