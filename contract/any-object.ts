// JSON objects with keys of the client's choice. zod's records leave out a key called `__proto__`, which in JSON is a key
// like any other.
import { z } from "zod";

/** Any JSON object. It is kept as it came. */
export const AnyObject = z
  .unknown()
  .check(({ value, issues }) => {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return;
    issues.push({ code: "invalid_type", expected: "object", input: value });
  })
  .meta({ type: "object" }) as z.ZodType as z.ZodType<Record<string, unknown>, Record<string, unknown>>;
