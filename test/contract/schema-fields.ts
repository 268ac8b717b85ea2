// Lists the fields of a zod schema, nested ones included, as the rows name them: `tools[].function.name`.
import type { z } from "zod";

/** Whether a schema is read for what goes in or for what comes out, where the two differ. */
export type Side = "input" | "output";

export interface Walked {
  paths: Set<string>;
  /** Every schema that was met on the way, itself included. */
  met: Set<z.core.$ZodType>;
}

/** Maps of any keys, such as metadata and JSON Schemas, have no fields. */
export function walkSchema(schema: z.core.$ZodType, side: Side): Walked {
  const walked: Walked = { paths: new Set(), met: new Set() };
  walk(schema, "", side, walked);
  return walked;
}

function walk(schema: z.core.$ZodType, path: string, side: Side, walked: Walked): void {
  walked.met.add(schema);
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case "object":
      for (const [name, field] of Object.entries(def.shape)) {
        const inner = path === "" ? name : `${path}.${name}`;
        walked.paths.add(inner);
        walk(field, inner, side, walked);
      }
      return;
    case "array":
      return walk(def.element, `${path}[]`, side, walked);
    case "union":
      for (const option of def.options) walk(option, path, side, walked);
      return;
    case "intersection":
      walk(def.left, path, side, walked);
      return walk(def.right, path, side, walked);
    case "pipe":
      return walk(pipeSide(def, side), path, side, walked);
    case "lazy":
      return walk(def.getter(), path, side, walked);
    default:
      if ("innerType" in def) walk(def.innerType, path, side, walked);
  }
}

/** A transformation has no fields of its own: the schema beside it has them. */
function pipeSide(def: z.core.$ZodPipeDef, side: Side): z.core.$ZodType {
  const [wanted, other] = side === "input" ? [def.in, def.out] : [def.out, def.in];
  return wanted._zod.def.type === "transform" ? other : wanted;
}
