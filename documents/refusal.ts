// Why a document cannot be read: its own fault, so trying again does not help. The message is shown to the user.

export type RefusalCode = "unsupported_file" | "invalid_file";

export class DocumentRefused extends Error {
  override name = "DocumentRefused";
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** `because` goes on: "The file could not be parsed because …". */
export function unreadable(because: string, cause?: unknown): DocumentRefused {
  return new DocumentRefused("invalid_file", `The file could not be parsed because ${because}.`, { cause });
}

export function unsupported(message: string): DocumentRefused {
  return new DocumentRefused("unsupported_file", message);
}

/** A library could not make sense of it, or its bytes contradict each other. */
export function damaged(cause: unknown): DocumentRefused {
  if (cause instanceof DocumentRefused) return cause;
  if (cause instanceof RangeError && /call stack/.test(cause.message))
    return unreadable("it is nested too deep", cause);
  if (cause instanceof RangeError) return unreadable("that takes too much memory", cause);
  return unreadable("it is damaged", cause);
}
