import { useEffect, useRef, useState } from "react";
import type { GraphShape } from "../model/graph.ts";
import type { Placed } from "../model/place.ts";
import type { LayoutAsked, LayoutDone } from "./layout.worker.ts";

export interface PlacedGraph {
  shape: GraphShape;
  placed: ReadonlyMap<string, Placed>;
}

/** The shape with its places, once a worker has laid it out; until then the one before. `problem`: it could not be laid out. */
export function usePlaced(shape: GraphShape): { graph: PlacedGraph | undefined; problem: string | undefined } {
  const worker = useRef<Worker | undefined>(undefined);
  const wanted = useRef(shape);
  const [graph, setGraph] = useState<PlacedGraph | undefined>();
  const [problem, setProblem] = useState<string | undefined>();
  useEffect(() => {
    const own = new Worker(new URL("./layout.worker.ts", import.meta.url), { type: "module" });
    own.addEventListener("message", ({ data }: MessageEvent<LayoutDone>) => {
      // A newer one is on its way.
      if (data.key !== wanted.current.key) return;
      setProblem(undefined);
      setGraph({ shape: wanted.current, placed: new Map(data.placed) });
    });
    own.addEventListener("error", (event) => setProblem(event.message || "its layout could not be computed"));
    worker.current = own;
    return () => own.terminate();
  }, []);
  useEffect(() => {
    wanted.current = shape;
    const { key, nodes, edges } = shape;
    worker.current?.postMessage({ key, nodes, edges } satisfies LayoutAsked);
  }, [shape]);
  return { graph, problem };
}
