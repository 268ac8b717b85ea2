// What an SDK throws when the server refuses a request.
import assert from "node:assert/strict";
import type { Refusal } from "../expected.ts";

type ErrorClass = abstract new (...args: never[]) => Error;

/** Waits for a request that is to be refused with this class of errors, and says with what words it was. */
export async function refusalOf(request: Promise<unknown>, expected: ErrorClass): Promise<Refusal> {
  const error = await errorOf(request, expected);
  const { status, type, param, code, error: body } = error as Error & Refusal & { error?: { message?: unknown } };
  return { status, message: body?.message, type, param, code };
}

/** The error itself. Fails when there is none, or one of another class. */
export async function errorOf(request: Promise<unknown>, expected: ErrorClass): Promise<Error> {
  try {
    await request;
  } catch (error) {
    if (error instanceof expected) return error;
    throw error;
  }
  return assert.fail("the request was not refused");
}
