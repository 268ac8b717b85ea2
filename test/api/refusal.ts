// What a client is told when the server refuses a request.
import assert from "node:assert/strict";
import { APIError } from "openai";
import { APIError as APIErrorV4 } from "openai-v4";

export interface Refusal {
  /** HTTP status. */
  status: number | undefined;
  message: unknown;
  type: unknown;
  param: unknown;
  code: unknown;
}

/** Waits for a request that is to be refused. Fails when it is not, or when it fails in another way. */
export async function refusalOf(request: Promise<unknown>): Promise<Refusal> {
  try {
    await request;
  } catch (error) {
    if (!(error instanceof APIError || error instanceof APIErrorV4)) throw error;
    const body = error.error as Omit<Refusal, "status"> | undefined;
    return {
      status: error.status as number | undefined,
      message: body?.message,
      type: body?.type,
      param: body?.param,
      code: body?.code,
    };
  }
  return assert.fail("the request was not refused");
}

/** A 400 with these words. */
export function badRequest(message: string, param: string | null = null, code: string | null = null): Refusal {
  return { status: 400, message, type: "invalid_request_error", param, code };
}

/** A 404 with these words. */
export function notFound(message: string): Refusal {
  return { status: 404, message, type: "invalid_request_error", param: null, code: null };
}
