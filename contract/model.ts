// Models as `GET /models` lists them, and what may be asked of one.
import { z } from "zod";
import { MAX_MODEL_NAME_LENGTH } from "./limits.ts";
import { text } from "./text.ts";

export const Model = z
  .strictObject({
    id: z.string(),
    object: z.literal("model"),
    created: z.int(),
    owned_by: z.string(),
  })
  .meta({ id: "Model" });
export type Model = z.infer<typeof Model>;

/** Any name: which endpoint serves it is settled when a run begins. */
export const ModelName = text({ min: 1, max: MAX_MODEL_NAME_LENGTH });
export const Temperature = z.number().min(0).max(2);
export const TopP = z.number().min(0).max(1);
export const ReasoningEffort = z.enum(["none", "minimal", "low", "medium", "high", "xhigh", "max"]);
export type ReasoningEffort = z.infer<typeof ReasoningEffort>;
