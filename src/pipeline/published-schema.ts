import { z } from "zod";
import { Id, keyed } from "../config/index.ts";
import { AgentStepShape, ApproveStepShape, AskStepShape, CommandStepShape, PipelineStepShape, StepsStepShape, topKeys } from "./shape.ts";
import { pipelineWords, stepWords } from "./vocabulary.ts";

/** JSON Schema (draft 7, what editors know best) of a pipeline file. */
export function pipelineJsonSchema(): Record<string, unknown> {
  const Nested: z.ZodType = z.lazy(() => Steps).meta({ id: "steps" });
  const inline = z.strictObject({ ...StepsStepShape.shape, steps: Nested });
  const Steps = z.record(Id, z.union([AgentStepShape, CommandStepShape, ApproveStepShape, AskStepShape, PipelineStepShape, inline]));
  const whole = keyed({ ...topKeys, steps: Nested }, pipelineWords);
  return {
    title: "Stepfall pipeline",
    $comment: `Not supported yet: ${[...(pipelineWords.later ?? []), ...(stepWords.later ?? [])].join(", ")}.`,
    ...z.toJSONSchema(whole, { io: "input", target: "draft-07" }),
  };
}
