// Attributes of a file in a vector store: up to 16 pairs, by which searches can be filtered.
import type { z } from "zod";
import { AnyObject } from "./any-object.ts";
import { MAX_METADATA_KEY_LENGTH, MAX_METADATA_PAIRS, MAX_METADATA_VALUE_LENGTH } from "./limits.ts";
import { countCharacters } from "./text.ts";

export type AttributeValue = string | number | boolean;

export const Attributes = AnyObject.check(({ value: attributes, issues }) => {
  const keys = Object.keys(attributes);
  for (const key of keys) {
    const value = attributes[key];
    if (typeof value === "string") {
      if (value.length <= MAX_METADATA_VALUE_LENGTH || countCharacters(value) <= MAX_METADATA_VALUE_LENGTH) continue;
      issues.push({
        code: "too_big",
        origin: "string",
        maximum: MAX_METADATA_VALUE_LENGTH,
        inclusive: true,
        input: value,
        path: [key],
      });
    } else if (typeof value !== "boolean" && !Number.isFinite(value)) {
      issues.push({
        code: "invalid_type",
        expected: "string, number or boolean" as "string",
        input: value,
        path: [key],
      });
    }
  }
  const refuse = (message: string, code: string) =>
    issues.push({ code: "custom", message, params: { code }, input: attributes });
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
  additionalProperties: {
    anyOf: [{ type: "string", maxLength: MAX_METADATA_VALUE_LENGTH }, { type: "number" }, { type: "boolean" }],
  },
}) as z.ZodType<Record<string, AttributeValue>, Record<string, AttributeValue>>;
export type Attributes = z.infer<typeof Attributes>;
