// Attributes of a file in a vector store: up to 16 pairs, by which searches can be filtered.
import type { z } from "zod";
import { AnyObject } from "./any-object.ts";
import { MAX_METADATA_VALUE_LENGTH } from "./limits.ts";
import { checkKeys, PAIRS_SCHEMA } from "./pairs.ts";
import { countCharacters } from "./text.ts";

export type AttributeValue = string | number | boolean;

export const Attributes = AnyObject.check(({ value: attributes, issues }) => {
  for (const key of Object.keys(attributes)) {
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
  checkKeys(attributes, issues);
}).meta({
  ...PAIRS_SCHEMA,
  additionalProperties: {
    anyOf: [{ type: "string", maxLength: MAX_METADATA_VALUE_LENGTH }, { type: "number" }, { type: "boolean" }],
  },
}) as z.ZodType<Record<string, AttributeValue>, Record<string, AttributeValue>>;
export type Attributes = z.infer<typeof Attributes>;
