export { routeStep, SHELL_AGENT, type RoutableAgent, type Route, type Routed } from "./route.ts";
