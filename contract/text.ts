// Texts with a limit. The contract counts Unicode characters, as Python does, and not the units of a JavaScript string.
import { z } from "zod";

export interface TextLimits {
  /** Fewest characters; 0 unless said otherwise. */
  min?: number;
  /** Most characters. */
  max: number;
}

export function text({ min = 0, max }: TextLimits) {
  return z
    .string()
    .check(({ value, issues }) => {
      const issue = { origin: "string", inclusive: true, input: value } as const;
      // A character has one or two units: most texts need not be counted.
      if (value.length < min) issues.push({ ...issue, code: "too_small", minimum: min });
      if (value.length > max && countCharacters(value) > max) issues.push({ ...issue, code: "too_big", maximum: max });
    })
    .meta({ ...(min > 0 ? { minLength: min } : {}), maxLength: max });
}

export function countCharacters(value: string): number {
  let count = 0;
  for (const _ of value) count += 1;
  return count;
}
