export { routeStep, SHELL_AGENT, type Assignment, type RoutableAgent, type Route, type Routed } from "./route.ts";
