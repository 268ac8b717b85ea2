// Errors in the shape of OpenAI's API, with its texts: what a client of the scripted model sees when a request fails.

/** What OpenAI sends as the body of every error. */
type ErrorBody = { error: { message: string; type: string; param: string | null; code: string | null } };

/** A request that ends with an HTTP error. Thrown anywhere, answered by the server. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly status: number;
  readonly body: ErrorBody;

  constructor(status: number, message: string, detail: Partial<ErrorBody["error"]> = {}) {
    super(message);
    this.status = status;
    this.body = { error: { message, type: "invalid_request_error", param: null, code: null, ...detail } };
  }
}

/** A 400 about one parameter of the request. */
export function badRequest(message: string, param: string | null, code: string | null = null): ApiError {
  return new ApiError(400, message, { param, code });
}

/** The error that OpenAI itself would most likely send with this status; for scripts that name only the status. */
export function errorOfStatus(status: number): ApiError {
  const known = TYPICAL[status];
  if (known) return new ApiError(status, known[0], { type: known[1], code: known[2] });
  if (status >= 500) return new ApiError(status, SERVER_ERROR, { type: "server_error" });
  return new ApiError(status, `The scripted model answers with status ${status}.`);
}

const SERVER_ERROR = "The server had an error while processing your request. Sorry about that!";

const TYPICAL: Record<number, [message: string, type: string, code: string | null]> = {
  401: ["Incorrect API key provided.", "invalid_request_error", "invalid_api_key"],
  403: ["You are not allowed to sample from this model.", "invalid_request_error", "model_not_allowed"],
  404: ["The model does not exist or you do not have access to it.", "invalid_request_error", "model_not_found"],
  429: ["Rate limit reached for requests. Please try again later.", "requests", "rate_limit_exceeded"],
  503: ["The engine is currently overloaded, please try again later.", "service_unavailable_error", null],
};
