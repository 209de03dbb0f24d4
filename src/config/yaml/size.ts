import { z } from "zod";
import { expecting, refuse } from "./shape-problems.ts";
import { shown } from "./shown.ts";

const UNIT_BYTES: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
};
const SIZE_FORMS = "500MB, 20GB, 1.5TB, 512MiB or a number of bytes";

/** Bytes of `500MB`, `1.5GB` (powers of ten), `512MiB` (powers of two) or a number of bytes; `undefined` when it is no size. */
export function parseSize(value: string | number): number | undefined {
  if (typeof value === "number") return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  const [, digits, unit] = /^(\d{1,15}(?:\.\d{1,6})?) ?([KMGT]i?B|B|)$/i.exec(value.trim()) ?? [];
  const factor = unit === undefined ? undefined : UNIT_BYTES[unit.toUpperCase()];
  const bytes = digits === undefined || factor === undefined ? Number.NaN : Math.round(Number(digits) * factor);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** A size field in bytes, of at least `leastBytes`; `none` (no limit) is `null`. */
export const size = (leastBytes: number) =>
  z.union([z.string(), z.number()], expecting(`a size such as ${SIZE_FORMS}, or none`)).transform((value, ctx): number | null => {
    if (value === "none") return null;
    const bytes = parseSize(value);
    const text = shown(String(value), 40);
    if (bytes === undefined) return refuse(ctx, "BAD_VALUE", `"${text}" is not a size`, `Write ${SIZE_FORMS}, or none`);
    if (bytes < leastBytes) return refuse(ctx, "BAD_VALUE", `${text} is too little`, `Write at least ${leastBytes / 1e6}MB, or none`);
    return bytes;
  });
