import type { GraphShape } from "../model/graph.ts";
import { place } from "../model/place.ts";

/** Lays graphs out beside the page: however large one is, logs and answers go on. */
export interface LayoutAsked extends Pick<GraphShape, "key" | "nodes" | "edges"> {}
export interface LayoutDone {
  key: string;
  placed: [string, { x: number; y: number }][];
}

self.addEventListener("message", ({ data }: MessageEvent<LayoutAsked>) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has no other origin to name
  self.postMessage({ key: data.key, placed: [...place(data)] } satisfies LayoutDone);
});
