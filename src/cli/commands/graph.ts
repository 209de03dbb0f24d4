import { pipelineGraph, toMermaid, toText, type StepGraph } from "../../pipeline/index.ts";
import { Exit, type Cli } from "../cli.ts";
import { requirePipeline } from "../setup/pipeline-file.ts";

/** `stepfall graph FILE`: what waits for what. Starts nothing. */
export async function graph(cli: Cli, file: string, flags: { mermaid: boolean }): Promise<number> {
  const drawn = pipelineGraph(await requirePipeline(cli, file));
  if (cli.json) cli.out.json({ version: 1, name: drawn.name, ...asData(drawn, "") });
  else cli.out.data((flags.mermaid ? toMermaid(drawn) : toText(drawn)).trimEnd());
  return Exit.ok;
}

interface GraphData {
  nodes: { id: string; kind: string; layer: number; when: string; notes: string[]; parent?: string }[];
  /** `to` needs `from`. */
  edges: { from: string; to: string }[];
}

/** Steps inside others are nodes like all, by their path, and name the step they are in. */
function asData({ steps }: StepGraph, prefix: string): GraphData {
  const all: GraphData = { nodes: [], edges: [] };
  for (const { id, kind, layer, when, notes, needs, inside } of steps) {
    const path = `${prefix}${id}`;
    all.nodes.push({ id: path, kind, layer, when, notes, ...(prefix === "" ? {} : { parent: prefix.slice(0, -1) }) });
    for (const need of needs) all.edges.push({ from: `${prefix}${need}`, to: path });
    if (!inside) continue;
    const below = asData(inside, `${path}/`);
    all.nodes.push(...below.nodes);
    all.edges.push(...below.edges);
  }
  return all;
}
