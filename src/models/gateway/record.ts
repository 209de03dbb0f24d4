import { readFileSync } from "node:fs";
import { z } from "zod";
import { writeWhole, type GatewayPaths } from "./folder.ts";
import { isAlive } from "./process-identity.ts";

const GatewayRecord = z.object({
  pid: z.number().int(),
  startTime: z.string(),
  port: z.number().int(),
  adminToken: z.string(),
  protocol: z.number().int(),
});
/** How engines find the running gateway. */
export type GatewayRecord = z.infer<typeof GatewayRecord>;

/** The record as it stands; `undefined` when there is none or it cannot be read as one. */
export function readRecord(paths: Pick<GatewayPaths, "record">): GatewayRecord | undefined {
  try {
    return GatewayRecord.parse(JSON.parse(readFileSync(paths.record, "utf8")));
  } catch {
    return undefined;
  }
}

/** The record of a gateway whose process lives. */
export function livingRecord(paths: Pick<GatewayPaths, "record">): GatewayRecord | undefined {
  const record = readRecord(paths);
  return record && isAlive(record) ? record : undefined;
}

export const writeRecord = (paths: GatewayPaths, record: GatewayRecord): void => writeWhole(paths.record, JSON.stringify(record));
