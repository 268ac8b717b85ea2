// What a client is answered when something is gone.
import { z } from "zod";

export function deletedOf<Kind extends string>(object: Kind) {
  return z.strictObject({ id: z.string(), object: z.literal(object), deleted: z.literal(true) });
}
