import { createHmac, randomBytes } from "node:crypto";
import { linkSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { KeySpec } from "./contract.ts";
import { GatewayError } from "./errors.ts";

const shortestSecret = 32;

/**
 * The key of an attempt's agent: derived from the home's secret, so that any engine of this home comes to the same one and none is kept
 * anywhere; without an epoch a random one.
 */
export function keyFor(spec: Pick<KeySpec, "runId" | "attempt" | "epoch">, secretPath: string): string {
  if (spec.epoch === undefined) return `sf-${randomBytes(24).toString("base64url")}`;
  const of = JSON.stringify([spec.runId, spec.attempt, spec.epoch]);
  return `sf-${createHmac("sha256", homeSecret(secretPath)).update(of).digest("base64url")}`;
}

/** Made once, by whichever engine comes first; readable by the owner only, like the admin token beside it. */
function homeSecret(path: string): string {
  const found = read(path);
  if (found !== undefined) return found;
  const draft = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  try {
    writeFileSync(draft, randomBytes(32).toString("base64url"), { mode: 0o600, flag: "wx" });
    // Fails where another engine was first: then its secret is the home's.
    linkSync(draft, path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw unusable(path, cause);
  } finally {
    rmSync(draft, { force: true });
  }
  const made = read(path);
  if (made === undefined) throw unusable(path);
  return made;
}

function read(path: string): string | undefined {
  try {
    const text = readFileSync(path, "utf8");
    if (text.length < shortestSecret) throw unusable(path);
    return text;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw cause instanceof GatewayError ? cause : unusable(path, cause);
  }
}

const unusable = (path: string, cause?: unknown): GatewayError =>
  new GatewayError(
    "GATEWAY_SECRET",
    `The secret that keys are derived from cannot be used: ${path}.`,
    "Remove the file while no run is under way.",
    {
      cause,
    },
  );
