import type { SetupInput, WireFormat } from "./contract.ts";

/** What a client of each format puts after its base URL, so what the base must not have. */
const basePath: Record<WireFormat, string> = { chat: "/v1", responses: "/v1", messages: "", gemini: "" };

/**
 * The base URL of a format at the gateway. In `pass-through` the key is in the path: the headers are for the agent's own login.
 * `undefined` in `direct` mode.
 */
export function baseUrl({ mode, gateway }: SetupInput, format: WireFormat): string | undefined {
  if (mode === "direct" || !gateway) return undefined;
  const { origin } = new URL(gateway.url);
  return `${origin}${mode === "pass-through" ? `/k/${gateway.key}` : ""}${basePath[format]}`;
}

/** Base URL and key, when our own key is used. */
export function metered(input: SetupInput, format: WireFormat): { url: string; key: string; model: string } | undefined {
  const url = baseUrl(input, format);
  if (input.mode !== "metered" || !url || !input.gateway) return undefined;
  return { url, key: input.gateway.key, model: input.model ?? "default" };
}
