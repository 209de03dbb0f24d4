import { CannotSay, type Media } from "./question.ts";

/** `data:image/png;base64,...` or an address. */
export function mediaOf(url: string): Media {
  if (!url.startsWith("data:")) return { kind: "url", url };
  const [, mediaType, data] = /^data:([^;,]*)(?:;[^;,]*)*;base64,(.*)$/s.exec(url) ?? [];
  if (data === undefined) throw new CannotSay("A data URL must be in base64.");
  return { kind: "base64", mediaType: mediaType || "application/octet-stream", data };
}

export const urlOf = (media: Media): string => (media.kind === "url" ? media.url : `data:${media.mediaType};base64,${media.data}`);

const byExtension: Readonly<Record<string, string>> = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
  pdf: "application/pdf",
  txt: "text/plain",
};

/** By the end of its address; `undefined`: it does not tell. */
export const mediaTypeOf = (media: Media): string | undefined =>
  media.kind === "base64" ? media.mediaType : byExtension[/\.(\w+)(?:[?#].*)?$/.exec(media.url)?.[1]?.toLowerCase() ?? ""];

export const lyingThere = (what: string): CannotSay =>
  new CannotSay(`${what} lies at another provider: the one that serves this call cannot read it. Send its content.`);
