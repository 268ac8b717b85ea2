// What a session says, a line of JSON each. Its code can write such lines itself, so every one is checked, and none is trusted.
import { z } from "zod";
import { MAX_SANDBOX_PATH_BYTES } from "../contract/limits.ts";

const id = z.int().nonnegative();
const size = z.int().nonnegative();
const bytes = z.base64();

export const Hello = z.object({ type: z.literal("hello"), token: z.string() });

export const Beginning = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ready") }),
  z.object({ type: z.literal("broken"), message: z.string() }),
]);

export const Frame = z.discriminatedUnion("type", [
  z.object({ type: z.literal("logs"), id, stream: z.enum(["stdout", "stderr"]), text: z.string() }),
  z.object({ type: z.literal("image"), id, data: bytes, last: z.boolean() }),
  z.object({ type: z.literal("done"), id, traceback: z.string().optional(), dropped: size }),
  z.object({ type: z.literal("data"), id, data: bytes, last: z.boolean() }),
  z.object({
    type: z.literal("files"),
    id,
    files: z.array(
      z.object({ name: z.string().min(1).max(MAX_SANDBOX_PATH_BYTES), bytes: size, stamp: z.string().max(100) }),
    ),
  }),
  z.object({ type: z.literal("end"), id }),
  z.object({
    type: z.literal("refused"),
    id,
    code: z.enum(["not_found", "not_a_file", "too_large", "no_space", "failed"]),
  }),
]);
export type Frame = z.infer<typeof Frame>;

/** What the zygote says. It is ours, and no code of others runs in it. */
export const ZygoteReport = z.union([
  z.object({ ready: z.object({ python: z.string(), landlock: z.int(), ownUsers: z.boolean() }) }),
  z.object({ failed: z.string() }),
  z.object({ removed: z.int() }),
  z.object({
    ended: z.object({
      id: z.int(),
      reason: z.enum(["memory", "cpu", "disk", "files", "threads", "forbidden", "killed", "exited"]),
    }),
  }),
]);
export type ZygoteReport = z.infer<typeof ZygoteReport>;
