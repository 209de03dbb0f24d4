/** Loaded before a program (`node --import`): its wall clock is off by as many milliseconds as the file in $FAULT_CLOCK says. */
import { readFileSync } from "node:fs";

const real = Date.now.bind(Date);
let offset = 0;
let readAt = -Infinity;
Date.now = () => {
  if (performance.now() - readAt > 20) {
    readAt = performance.now();
    try {
      offset = Number(readFileSync(process.env.FAULT_CLOCK ?? "", "utf8")) || 0;
    } catch {
      offset = 0;
    }
  }
  return real() + offset;
};
