// Metadata: up to 16 pairs of strings that a client may hang on any object.
import { z } from "zod";
import { MAX_METADATA_KEY_LENGTH, MAX_METADATA_PAIRS, MAX_METADATA_VALUE_LENGTH } from "./limits.ts";
import { countCharacters, text } from "./text.ts";

export const Metadata = z
  .record(z.string(), text({ max: MAX_METADATA_VALUE_LENGTH }))
  .superRefine((metadata, context) => {
    const keys = Object.keys(metadata);
    if (keys.length > MAX_METADATA_PAIRS) {
      context.addIssue({
        code: "custom",
        message: `Invalid '{path}': too many properties. Expected an object with at most ${MAX_METADATA_PAIRS} properties, but got an object with ${keys.length} properties instead.`,
        params: { code: "object_above_max_properties" },
      });
    }
    const tooLong = keys.find((key) => countCharacters(key) > MAX_METADATA_KEY_LENGTH);
    if (tooLong !== undefined) {
      context.addIssue({
        code: "custom",
        message: `Invalid '{path}': property name too long. Expected a name with maximum length ${MAX_METADATA_KEY_LENGTH}, but got a name with length ${countCharacters(tooLong)} instead.`,
        params: { code: "property_name_above_max_length" },
      });
    }
  })
  .meta({
    maxProperties: MAX_METADATA_PAIRS,
    propertyNames: { type: "string", maxLength: MAX_METADATA_KEY_LENGTH },
  });
export type Metadata = z.infer<typeof Metadata>;
