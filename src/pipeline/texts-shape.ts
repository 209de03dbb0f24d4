import { z } from "zod";
import { expecting } from "../config/index.ts";
import { parseTemplate } from "./expression/template.ts";

/** A name that can stand in an expression behind a dot. */
export const NAME_PATTERN = /^(?!(?:in|true|false|null)$)[A-Za-z_]\w{0,63}$/;

/** CEL; `if: true` is fine too. What it says is checked where the steps around it are known. */
export const Cel = z.union([z.string(), z.boolean()], expecting("an expression (CEL)")).transform(String);

/** A text that must hold once its `${{ }}` have values: judged with a plain word in their places. */
export const templated = (inner: z.ZodType<string>) =>
  z.string().superRefine((text, ctx) => {
    const parsed = parseTemplate(text);
    const plain = parsed.ok ? parsed.parts.map((part) => (part.kind === "text" ? part.text : "x")).join("") : "x";
    const judged = inner.safeParse(plain);
    for (const issue of judged.error?.issues ?? [])
      ctx.addIssue({ code: "custom", message: issue.message, params: "params" in issue ? issue.params : undefined });
  });
