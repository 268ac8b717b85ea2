// Metadata: up to 16 pairs of strings that a client may hang on any object.
import type { z } from "zod";
import { AnyObject } from "./any-object.ts";
import { MAX_METADATA_KEY_LENGTH, MAX_METADATA_PAIRS, MAX_METADATA_VALUE_LENGTH } from "./limits.ts";
import { countCharacters, text } from "./text.ts";

const Value = text({ max: MAX_METADATA_VALUE_LENGTH });

export const Metadata = AnyObject.check(({ value: metadata, issues }) => {
  const keys = Object.keys(metadata);
  for (const key of keys) {
    const { error } = Value.safeParse(metadata[key], { reportInput: true });
    for (const issue of error?.issues ?? []) issues.push({ ...issue, path: [key] } as z.core.$ZodRawIssue);
  }
  const refuse = (message: string, code: string) =>
    issues.push({ code: "custom", message, params: { code }, input: metadata });
  if (keys.length > MAX_METADATA_PAIRS) {
    refuse(
      `Invalid '{path}': too many properties. Expected an object with at most ${MAX_METADATA_PAIRS} properties, but got an object with ${keys.length} properties instead.`,
      "object_above_max_properties",
    );
  }
  const tooLong = keys.find((key) => countCharacters(key) > MAX_METADATA_KEY_LENGTH);
  if (tooLong !== undefined) {
    refuse(
      `Invalid '{path}': property name too long. Expected a name with maximum length ${MAX_METADATA_KEY_LENGTH}, but got a name with length ${countCharacters(tooLong)} instead.`,
      "property_name_above_max_length",
    );
  }
}).meta({
  type: "object",
  maxProperties: MAX_METADATA_PAIRS,
  propertyNames: { type: "string", maxLength: MAX_METADATA_KEY_LENGTH },
  additionalProperties: { type: "string", maxLength: MAX_METADATA_VALUE_LENGTH },
}) as z.ZodType<Record<string, string>, Record<string, string>>;
export type Metadata = z.infer<typeof Metadata>;
