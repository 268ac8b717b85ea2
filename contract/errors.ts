// The catalogue of errors: one function per case, with the exact text that clients match on.

import { MAX_QUOTED_IDS, MAX_QUOTE_LENGTH } from "./limits.ts";

export type ErrorType = "invalid_request_error" | "server_error" | "insufficient_quota";

/** An answer that is not 200. `api/on-error.ts` is the only place that turns it into HTTP. */
export class ApiError extends Error {
  override name = "ApiError";
  readonly status: number;
  readonly type: ErrorType;
  readonly param: string | null;
  readonly code: string | null;

  constructor(
    status: number,
    message: string,
    details: { type?: ErrorType; param?: string | null; code?: string | null } = {},
  ) {
    super(message);
    this.status = status;
    this.type = details.type ?? "invalid_request_error";
    this.param = details.param ?? null;
    this.code = details.code ?? null;
  }

  /** The body that goes over the wire. */
  toBody() {
    return {
      error: { message: this.message, type: this.type, param: this.param, code: this.code },
    };
  }
}

// --- authentication and routing ----------------------------------------------------------------

const KEYS_PAGE = "https://platform.openai.com/account/api-keys";

export const missingApiKey = () =>
  new ApiError(
    401,
    `You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY), or as the password field (with blank username) if you're accessing the API from your browser and are prompted for a username and password. You can obtain an API key from ${KEYS_PAGE}.`,
  );

export const incorrectApiKey = (key: string) =>
  new ApiError(401, `Incorrect API key provided: ${maskKey(key)}. You can find your API key at ${KEYS_PAGE}.`, {
    code: "invalid_api_key",
  });

export const missingBetaHeader = () =>
  new ApiError(
    400,
    "You must provide the 'OpenAI-Beta' header to access the Assistants API. Please try again by setting the header 'OpenAI-Beta: assistants=v2'.",
    { code: "invalid_beta" },
  );

export const unknownUrl = (method: string, path: string) => new ApiError(404, `Invalid URL (${method} ${path})`);

export const brokenJson = () =>
  new ApiError(
    400,
    "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your HTTP library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON. If you have trouble figuring out how to fix this, please contact us through our help center at help.openai.com.)",
  );

export const bodyTooLarge = (maxBytes: number) =>
  new ApiError(413, `The request body is too large. The maximum size is ${maxBytes} bytes.`);

export const unsupportedMediaType = (given: string, wanted = "application/json") =>
  new ApiError(415, `Unsupported content type: '${given}'. Please send '${wanted}'.`);

export const brokenForm = () =>
  new ApiError(400, "We could not parse the multipart form of your request: it is incomplete or malformed.");

export const fileTooLarge = (param: string, maxBytes: number) =>
  new ApiError(413, `The file is too large. The maximum size is ${maxBytes} bytes.`, { param });

// --- objects that are not there ----------------------------------------------------------------

export const assistantNotFound = (id: string) => notFound("assistant", id);
export const threadNotFound = (id: string) => notFound("thread", id);
export const messageNotFound = (id: string) => notFound("message", id);
export const runNotFound = (id: string) => notFound("run", id);
export const runStepNotFound = (id: string) => notFound("run step", id);
export const assistantFileNotFound = (id: string, assistantId: string) =>
  notFoundIn("file", id, "assistant", assistantId);
export const messageFileNotFound = (id: string, messageId: string) => notFoundIn("file", id, "message", messageId);
export const fileNotFound = (id: string) => new ApiError(404, `No such File object: ${shorten(id)}`, { param: "id" });
/** Of files that a request refers to. */
export const filesNotFound = (ids: readonly string[]) =>
  new ApiError(404, `Files ${pythonList(ids.slice(0, MAX_QUOTED_IDS).map(shorten))} were not found`);
export const uploadNotFound = (id: string) => notFound("upload", id);
export const uploadPartNotFound = (id: string, uploadId: string) => notFoundIn("part", id, "upload", uploadId);
export const vectorStoreNotFound = (id: string) => notFound("vector store", id);
export const fileNotFoundInStore = (id: string, storeId: string) => notFoundIn("file", id, "vector store", storeId);
export const fileBatchNotFound = (id: string, storeId: string) => notFoundIn("file batch", id, "vector store", storeId);
export const modelNotFound = (id: string) =>
  new ApiError(404, `The model '${id}' does not exist`, {
    param: "model",
    code: "model_not_found",
  });

// --- values that cannot be taken ---------------------------------------------------------------

export const unknownCursor = (param: "after" | "before", value: string) =>
  new ApiError(400, `Invalid '${param}': '${shorten(value)}'. No object with this ID exists in the list.`, {
    param,
    code: "invalid_value",
  });

export const invalidIdempotencyKey = (max: number) =>
  new ApiError(400, `Invalid 'Idempotency-Key' header: expected 1 to ${max} characters.`, {
    code: "invalid_idempotency_key",
  });

export const idempotencyKeyReused = () =>
  new ApiError(400, "The 'Idempotency-Key' header was used before, for a request with other content.", {
    code: "idempotency_key_reused",
  });

export const nulCharacter = (param: string | null) =>
  new ApiError(400, `Invalid ${param === null ? "body" : `'${param}'`}: the NUL character (U+0000) cannot be stored.`, {
    param,
    code: "invalid_value",
  });

export const arrayTooLong = (param: string, max: number, length: number) =>
  new ApiError(
    400,
    `Invalid '${param}': array too long. Expected an array with maximum length ${max}, but got an array with length ${length} instead.`,
    { param, code: "array_above_max_length" },
  );

/** For a part of a message that is to be an image. */
export const notAnImage = (known: readonly string[], ending: string) =>
  new ApiError(
    400,
    `Invalid message content: Expected file type to be a supported format: ${known.join(", ")} but got ${ending}.`,
  );

export const notSearchable = (endings: readonly string[]) =>
  new ApiError(
    400,
    `Files with extensions [${endings.join(", ")}] are not supported for retrieval. See https://platform.openai.com/docs/assistants/tools/file-search/supported-files`,
    { param: "file_ids", code: "unsupported_file" },
  );

/** The text alone; its error has no code. */
export const unknownPurpose = (purpose: string, known: readonly string[]) =>
  `'${shorten(purpose)}' is not one of ${pythonList(known)} - 'purpose'`;

export const missingParameter = (param: string) =>
  new ApiError(400, `Missing required parameter: '${param}'.`, { param, code: "missing_required_parameter" });

export const unknownParameter = (param: string) =>
  new ApiError(400, `Unknown parameter: '${param}'.`, { param, code: "unknown_parameter" });

export const fileIsEmpty = (param: string) => new ApiError(400, "The file is empty.", { param, code: "invalid_value" });

export const notAFile = (param: string) =>
  new ApiError(400, `Invalid type for '${param}': expected a file, but got a string instead.`, {
    param,
    code: "invalid_type",
  });

export const onlyOneFile = (param: string) =>
  new ApiError(400, `Invalid '${param}': expected one file, but got more.`, { param, code: "invalid_value" });

export const duplicatePart = (id: string) =>
  new ApiError(400, `Invalid 'part_ids': the part '${shorten(id)}' is named more than once.`, {
    param: "part_ids",
    code: "invalid_value",
  });

export const uploadSizeMismatch = (expected: number, got: number) =>
  new ApiError(400, `The parts have ${got} bytes together, but the upload was created for ${expected} bytes.`, {
    param: "part_ids",
    code: "invalid_value",
  });

export const uploadHashMismatch = () =>
  new ApiError(400, "Invalid 'md5': the content of the parts has another checksum.", {
    param: "md5",
    code: "invalid_value",
  });

export const mutuallyExclusiveStores = () =>
  new ApiError(
    400,
    "Invalid 'tool_resources.file_search': 'vector_store_ids' and 'vector_stores' are mutually exclusive.",
    { param: "tool_resources.file_search", code: "invalid_value" },
  );

export const mutuallyExclusive = (one: string, other: string) =>
  new ApiError(400, `Invalid '${other}': '${one}' and '${other}' are mutually exclusive.`, {
    param: other,
    code: "invalid_value",
  });

export const onlyFunctionTools = (format: string) =>
  new ApiError(
    400,
    `Invalid tools: all tools must be of type \`function\` when \`response_format\` is of type \`${format}\`.`,
  );

// --- states that forbid it ---------------------------------------------------------------------

export const threadHasActiveRun = (threadId: string, runId: string) =>
  new ApiError(400, `Thread ${threadId} already has an active run ${runId}.`);

export const threadIsLocked = (threadId: string, runId: string) =>
  new ApiError(400, `Can't add messages to ${threadId} while a run ${runId} is active.`);

export const threadIsFull = (threadId: string, max: number) =>
  new ApiError(400, `Thread ${threadId} already holds the maximum of ${max} messages.`);

export const storeIsFull = (storeId: string, max: number) =>
  new ApiError(400, `Vector store ${storeId} cannot hold more than ${max} files.`);

export const storeHasExpired = (storeId: string) =>
  new ApiError(400, `Vector store '${storeId}' has expired and can no longer be used. Please create a new one.`);

export const cannotCancel = (status: string) => new ApiError(400, `Cannot cancel run with status '${status}'.`);

export const outputsNotAccepted = (status: string) =>
  new ApiError(400, `Runs in status "${status}" do not accept tool outputs.`);

export const outputsMismatch = (expected: readonly string[], got: readonly string[]) =>
  new ApiError(400, `Expected tool outputs for call_ids ${pythonList(expected)}, got ${pythonList(got)}`);

export const outputsTooLarge = () =>
  new ApiError(400, "'tool_outputs' too large: the combined tool outputs must be less than 512kb.", {
    param: "tool_outputs",
    code: "invalid_value",
  });

export const uploadIsOver = (id: string, status: string) =>
  new ApiError(400, `Upload ${id} cannot be changed: its status is '${status}'.`);

export const downloadNotAllowed = (purpose: string) =>
  new ApiError(400, `Not allowed to download files of purpose: ${purpose}`);

// --- our own failures --------------------------------------------------------------------------

export const internalError = (requestId: string) =>
  new ApiError(
    500,
    `The server had an error processing your request. Sorry about that! You can retry your request, or contact us through our help center at help.openai.com if you keep seeing this error. (Please include the request ID ${requestId} in your email.)`,
    { type: "server_error" },
  );

export const overloaded = () =>
  new ApiError(503, "The server is overloaded or not ready yet. Please try again later.", {
    type: "server_error",
  });

/** A client's own words, for an error that quotes them: long ones are cut. */
export function shorten(text: string): string {
  return text.length > MAX_QUOTE_LENGTH ? `${text.slice(0, MAX_QUOTE_LENGTH)}...` : text;
}

function notFound(kind: string, id: string): ApiError {
  return new ApiError(404, `No ${kind} found with id '${shorten(id)}'.`);
}

/** In the form that the original has for the files of vector stores. */
function notFoundIn(kind: string, id: string, parent: string, parentId: string): ApiError {
  return new ApiError(404, `No ${kind} found with id '${shorten(id)}' in ${parent} '${shorten(parentId)}'.`);
}

/** Shows enough of a key to recognise it and too little to use it. */
function maskKey(key: string): string {
  if (key === "") return "''";
  return key.length > 12 ? `${key.slice(0, 5)}***${key.slice(-2)}` : "***";
}

function pythonList(items: readonly string[]): string {
  return `[${items.map((item) => `'${item}'`).join(", ")}]`;
}
