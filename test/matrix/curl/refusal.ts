// What an answer says that is no success.
import assert from "node:assert/strict";
import type { Refusal } from "../expected.ts";
import type { Server } from "../program.ts";
import { curl } from "./curl.ts";
import type { Request } from "./curl.ts";

/** Sends a request that is to be refused. */
export async function refusalOf(server: Server, path: string, request: Request = {}): Promise<Refusal> {
  const answer = await curl(server, path, request);
  const { error } = (await answer.json()) as { error?: Omit<Refusal, "status"> };
  assert.ok(error, "the request was not refused");
  return { status: answer.status, ...error };
}
