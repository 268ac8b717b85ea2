// Objects of a client's own keys, such as metadata and attributes: how many keys there may be, and how long each.
import type { z } from "zod";
import { MAX_METADATA_KEY_LENGTH, MAX_METADATA_PAIRS } from "./limits.ts";
import { countCharacters } from "./text.ts";

/** The bounds as the OpenAPI document shows them. */
export const PAIRS_SCHEMA = {
  type: "object",
  maxProperties: MAX_METADATA_PAIRS,
  propertyNames: { type: "string", maxLength: MAX_METADATA_KEY_LENGTH },
} as const;

/** Adds an issue for each bound that is exceeded. */
export function checkKeys(pairs: Record<string, unknown>, issues: z.core.$ZodRawIssue[]): void {
  const keys = Object.keys(pairs);
  const refuse = (message: string, code: string) =>
    issues.push({ code: "custom", message, params: { code }, input: pairs });
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
}
