import process from "node:process";

/**
 * Entry of the worker thread. `node:sqlite` warns that it is experimental the moment it is loaded, on the Node versions
 * where it is: that one warning is swallowed, every other one passes.
 */
const emitWarning = process.emitWarning;
process.emitWarning = (warning: string | Error, ...rest: unknown[]): void => {
  const said = typeof warning === "string" ? warning : warning.message;
  if (said.startsWith("SQLite is an experimental feature")) return;
  (emitWarning as (...all: unknown[]) => void).call(process, warning, ...rest);
};

// Imported only now, because a static import would load node:sqlite before the lines above run.
const { serve } = await import("./serve.ts");
serve();
