// A reason not to start that the person at the terminal can act on. Shown as plain text, without a stack trace.

export class CannotStart extends Error {
  override name = "CannotStart";
}
