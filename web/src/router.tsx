import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { NotFound, PageFailed } from "./shell/page-states.tsx";
import { Shell } from "./shell/shell.tsx";

/** Pages are loaded when they are first opened: the first paint waits for none of them but its own. */
const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: PageFailed });

const overview = createRoute({
  getParentRoute: () => root,
  path: "/",
  validateSearch: (given: Record<string, unknown>): { project?: string } =>
    typeof given["project"] === "string" ? { project: given["project"] } : {},
  component: lazyRouteComponent(() => import("./overview/index.tsx"), "OverviewPage"),
});
const inbox = createRoute({
  getParentRoute: () => root,
  path: "/inbox",
  component: lazyRouteComponent(() => import("./inbox/index.tsx"), "InboxPage"),
});
const agents = createRoute({
  getParentRoute: () => root,
  path: "/agents",
  component: lazyRouteComponent(() => import("./agents/index.tsx"), "AgentsPage"),
});
const cost = createRoute({
  getParentRoute: () => root,
  path: "/cost",
  component: lazyRouteComponent(() => import("./cost/index.tsx"), "CostPage"),
});
const settings = createRoute({
  getParentRoute: () => root,
  path: "/settings",
  component: lazyRouteComponent(() => import("./settings/index.tsx"), "SettingsPage"),
});

/** What of a run's page is shown: a link can name it. */
export interface RunSearch {
  step?: string;
  attempt?: string;
  tab?: string;
}

const run = createRoute({
  getParentRoute: () => root,
  path: "/runs/$runId",
  validateSearch: (given: Record<string, unknown>): RunSearch => ({
    ...(typeof given["step"] === "string" ? { step: given["step"] } : {}),
    ...(typeof given["attempt"] === "string" ? { attempt: given["attempt"] } : {}),
    ...(typeof given["tab"] === "string" ? { tab: given["tab"] } : {}),
  }),
  component: lazyRouteComponent(() => import("./run-route.tsx"), "RunRoute"),
});

export const router = createRouter({
  routeTree: root.addChildren([overview, inbox, agents, cost, settings, run]),
  defaultPreload: "intent",
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
