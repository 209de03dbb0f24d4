import "@xyflow/react/dist/base.css";
import { Controls, ReactFlow, ReactFlowProvider, useReactFlow, ViewportPortal, type NodeMouseHandler } from "@xyflow/react";
import { memo, useEffect, useMemo, useRef } from "react";
import { Button, Loading } from "../../ui/index.ts";
import type { GraphShape } from "../model/graph.ts";
import { NODE_HEIGHT, NODE_WIDTH, type Placed } from "../model/place.ts";
import { edgesPath } from "./edges-path.ts";
import { StepNode, type StepFlowNode } from "./step-node.tsx";
import { usePlaced, type PlacedGraph } from "./use-placed.ts";

const nodeTypes = { step: StepNode };
/** Below this a name cannot be read: a large graph begins at its beginning instead of all at once. */
const READABLE_ZOOM = 0.55;

interface GraphProps {
  shape: GraphShape;
  unfolded: ReadonlySet<string>;
  /** The node that stands for what is selected. */
  selected: string | undefined;
  onSelect(path: string): void;
  onFold(path: string): void;
  /** Told once it is laid out, for whoever walks it by keys. */
  onPlaced(graph: PlacedGraph): void;
}

/** The run's graph. Statuses reach its nodes past it (see ViewStore): it is drawn again only for another shape or selection. */
export const GraphView = memo(function GraphView(props: GraphProps) {
  const { graph, problem } = usePlaced(props.shape);
  const { onPlaced } = props;
  useEffect(() => {
    if (graph) onPlaced(graph);
  }, [graph, onPlaced]);
  if (problem !== undefined)
    return (
      <p role="alert" className="p-4 text-bad">
        The graph cannot be drawn: {problem}. The list of steps has all of them.
      </p>
    );
  if (!graph) return <Loading what="Laying out the graph" />;
  return (
    <ReactFlowProvider>
      <Flow {...props} graph={graph} />
    </ReactFlowProvider>
  );
});

function Flow({ graph, unfolded, selected, onSelect, onFold }: GraphProps & { graph: PlacedGraph }) {
  const flow = useReactFlow<StepFlowNode>();
  const nodes = useMemo(
    () =>
      graph.shape.nodes.flatMap((path): StepFlowNode[] => {
        const position = graph.placed.get(path);
        if (!position) return [];
        const data = { path, isSelected: path === selected, isUnfolded: unfolded.has(path), onFold };
        return [{ id: path, type: "step", position, width: NODE_WIDTH, height: NODE_HEIGHT, data, focusable: false }];
      }),
    [graph, selected, unfolded, onFold],
  );
  const atFirst = useRef(selected);
  const open = useMemo(() => (): void => void show(flow, graph, atFirst.current), [flow, graph]);
  useAnchor(flow, graph, selected);
  useReveal(flow, graph, selected);
  const choose: NodeMouseHandler<StepFlowNode> = (_, node) => onSelect(node.id);
  return (
    <ReactFlow
      nodes={nodes}
      nodeTypes={nodeTypes}
      onInit={open}
      onNodeClick={choose}
      nodesDraggable={false}
      nodesConnectable={false}
      nodesFocusable={false}
      edgesFocusable={false}
      elementsSelectable={false}
      disableKeyboardA11y
      deleteKeyCode={null}
      minZoom={0.05}
      maxZoom={1.5}
      // Those out of sight are not in the page at all.
      onlyRenderVisibleElements={graph.shape.nodes.length > 120}
      proOptions={{ hideAttribution: true }}
      aria-label="Graph of the run. The list of steps has the same steps for the keyboard."
      className="run-graph"
    >
      <Edges graph={graph} />
      <Controls showInteractive={false} showFitView={false} position="bottom-left" orientation="horizontal">
        <Button small look="quiet" onClick={() => void flow.fitView({ padding: 0.05 })} aria-label="Show all of the graph">
          all
        </Button>
      </Controls>
    </ReactFlow>
  );
}

/** All edges as one line: none of them changes before the layout does, and a thousand elements would be looked at in every frame. */
function Edges({ graph }: { graph: PlacedGraph }) {
  const line = useMemo(() => edgesPath(graph), [graph]);
  return (
    <ViewportPortal>
      <svg className="pointer-events-none absolute top-0 left-0 -z-10 size-px overflow-visible" aria-hidden="true">
        <path d={line} className="run-edges" />
      </svg>
    </ViewportPortal>
  );
}

type Flows = ReturnType<typeof useReactFlow<StepFlowNode>>;

/** All of it where that can be read, else what is chosen and what is around it. */
async function show(flow: Flows, graph: PlacedGraph, selected: string | undefined): Promise<void> {
  await flow.fitView({ padding: 0.05, maxZoom: 1 });
  if (flow.getZoom() >= READABLE_ZOOM) return;
  const pane = document.querySelector(".run-graph")?.getBoundingClientRect();
  const places = [...graph.placed.values()];
  const at = (selected === undefined ? undefined : graph.placed.get(selected)) ?? places[0];
  if (!pane || !at) return;
  const zoom = READABLE_ZOOM;
  /** Along one axis: all of it in the middle where there is room, else from its beginning on, as far as the chosen one needs. */
  const offset = (of: (place: Placed) => number, size: number, room: number): number => {
    const from = Math.min(...places.map(of));
    const to = Math.max(...places.map(of)) + size;
    if ((to - from) * zoom <= room) return (room - (to - from) * zoom) / 2 - from * zoom;
    return Math.min(16 - from * zoom, room / 2 - (of(at) + size / 2) * zoom);
  };
  await flow.setViewport({ x: offset((p) => p.x, NODE_WIDTH, pane.width), y: offset((p) => p.y, NODE_HEIGHT, pane.height), zoom });
}

/** Another layout moves nodes; what was looked at stays where it was on the screen. */
function useAnchor(flow: Flows, graph: PlacedGraph, selected: string | undefined): void {
  const before = useRef(graph);
  useEffect(() => {
    const was = before.current;
    before.current = graph;
    if (was === graph) return;
    const changed = graph.shape.nodes.length > was.shape.nodes.length ? graph.shape : was.shape;
    const other = changed === graph.shape ? was.shape : graph.shape;
    const known = new Set(other.nodes);
    // The group that was folded or unfolded is the one before its first child.
    const first = changed.nodes.findIndex((n) => !known.has(n));
    const anchor = changed.nodes[first - 1] ?? selected;
    const [from, to] = anchor === undefined ? [] : [was.placed.get(anchor), graph.placed.get(anchor)];
    if (!from || !to) return;
    const { x, y, zoom } = flow.getViewport();
    void flow.setViewport({ x: x + (from.x - to.x) * zoom, y: y + (from.y - to.y) * zoom, zoom });
  }, [flow, graph, selected]);
}

/** The camera is a person's: it moves by itself only to bring what they chose into sight. */
function useReveal(flow: Flows, graph: PlacedGraph, selected: string | undefined): void {
  const shown = useRef<string | undefined>(selected);
  useEffect(() => {
    if (selected === shown.current || selected === undefined) return;
    shown.current = selected;
    const place = graph.placed.get(selected);
    const pane = document.querySelector(".run-graph")?.getBoundingClientRect();
    if (!place || !pane) return;
    const { x, y, zoom } = flow.getViewport();
    const left = place.x * zoom + x;
    const top = place.y * zoom + y;
    if (left >= 0 && top >= 0 && left + NODE_WIDTH * zoom <= pane.width && top + NODE_HEIGHT * zoom <= pane.height) return;
    void flow.setCenter(place.x + NODE_WIDTH / 2, place.y + NODE_HEIGHT / 2, { zoom });
  }, [flow, graph, selected]);
}
