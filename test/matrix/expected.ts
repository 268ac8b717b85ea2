// What the server says, for the programs that are written in TypeScript.

/** A refused request, as the error of an SDK or the body of an answer tells it. */
export interface Refusal {
  /** HTTP status. */
  status: number | undefined;
  message: unknown;
  type: unknown;
  param: unknown;
  code: unknown;
}

function refused(status: number, message: string, param: string | null = null, code: string | null = null): Refusal {
  return { status, message, type: "invalid_request_error", param, code };
}

/** Of an id, "asst_unknown" for example, behind which there is nothing. */
export const UNKNOWN_ASSISTANT = refused(404, "No assistant found with id 'asst_unknown'.");
export const UNKNOWN_PARAMETER = refused(400, "Unknown parameter: 'seed'.", "seed", "unknown_parameter");
export const NO_BETA_HEADER = refused(
  400,
  "You must provide the 'OpenAI-Beta' header to access the Assistants API. Please try again by setting the header 'OpenAI-Beta: assistants=v2'.",
  null,
  "invalid_beta",
);
/** Without their messages, which are long or hold the key. */
export const NO_KEY = { status: 401, type: "invalid_request_error", param: null, code: null };
export const WRONG_KEY = { ...NO_KEY, code: "invalid_api_key" };
export const RATE_LIMITED = { status: 429, code: "rate_limit_exceeded" };

export function runsLocked({ thread_id, id }: { thread_id: string; id: string }): Refusal {
  return refused(400, `Thread ${thread_id} already has an active run ${id}.`);
}

export function messagesLocked({ thread_id, id }: { thread_id: string; id: string }): Refusal {
  return refused(400, `Can't add messages to ${thread_id} while a run ${id} is active.`);
}

export function outputsExpected(expected: readonly string[], got: readonly string[]): Refusal {
  const list = (ids: readonly string[]) => `[${ids.map((id) => `'${id}'`).join(", ")}]`;
  return refused(400, `Expected tool outputs for call_ids ${list(expected)}, got ${list(got)}`);
}

export const OUTPUTS_TOO_LATE = refused(400, 'Runs in status "expired" do not accept tool outputs.');

export const REQUEST_ID = /^req_[0-9a-f]{32}$/;
