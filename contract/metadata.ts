// Metadata: up to 16 pairs of strings that a client may hang on any object.
import type { z } from "zod";
import { AnyObject } from "./any-object.ts";
import { MAX_METADATA_VALUE_LENGTH } from "./limits.ts";
import { checkKeys, PAIRS_SCHEMA } from "./pairs.ts";
import { text } from "./text.ts";

const Value = text({ max: MAX_METADATA_VALUE_LENGTH });

export const Metadata = AnyObject.check(({ value: metadata, issues }) => {
  for (const key of Object.keys(metadata)) {
    const { error } = Value.safeParse(metadata[key], { reportInput: true });
    for (const issue of error?.issues ?? []) issues.push({ ...issue, path: [key] } as z.core.$ZodRawIssue);
  }
  checkKeys(metadata, issues);
}).meta({
  ...PAIRS_SCHEMA,
  additionalProperties: { type: "string", maxLength: MAX_METADATA_VALUE_LENGTH },
}) as z.ZodType<Record<string, string>, Record<string, string>>;
export type Metadata = z.infer<typeof Metadata>;
