// What an endpoint answered in place of what it was asked for, in the three kinds that callers treat differently.
import OpenAI from "openai";
import { MAX_RETRY_AFTER_MS } from "../contract/limits.ts";
import { ModelBusy, ModelFailed, ModelRefused } from "./model.ts";

/** Sorts an error of the SDK. `endpoint` names who failed, at the beginning of a sentence. */
export function toEndpointError(error: unknown, endpoint: string): Error {
  if (!(error instanceof OpenAI.APIError) || error.status === undefined) {
    return new ModelFailed(`${endpoint} could not be reached or broke off.`, { cause: error });
  }
  const { status, code } = error;
  const said = saidBy(error);
  if (code === "insufficient_quota") return new ModelRefused("rate_limit_exceeded", said, { cause: error });
  if (status === 429) return new ModelBusy(retryAfterMs(error.headers), said, { cause: error });
  if (status === 408 || status === 409 || status >= 500) return new ModelFailed(said, { cause: error });
  if (status === 401 || status === 403) {
    return new ModelRefused("server_error", `${endpoint} refused the server's key (${status}): ${said}`, {
      cause: error,
    });
  }
  return new ModelRefused(status === 404 ? "server_error" : "invalid_prompt", said, { cause: error });
}

/** The endpoint's own words, without the status that the SDK puts in front. */
function saidBy(error: InstanceType<typeof OpenAI.APIError>): string {
  const inner = error.error as { message?: unknown } | undefined;
  return typeof inner?.message === "string" ? inner.message : error.message;
}

function retryAfterMs(headers: Headers | undefined): number | undefined {
  const ms = Number(headers?.get("retry-after-ms") ?? Number.NaN);
  if (ms >= 0) return Math.min(ms, MAX_RETRY_AFTER_MS);
  const after = headers?.get("retry-after");
  if (after === null || after === undefined) return undefined;
  const seconds = Number(after);
  const wait = Number.isNaN(seconds) ? Date.parse(after) - Date.now() : seconds * 1000;
  return Number.isNaN(wait) ? undefined : Math.min(Math.max(wait, 0), MAX_RETRY_AFTER_MS);
}
