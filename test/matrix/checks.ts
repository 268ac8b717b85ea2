// The rows of the SDK matrix: what every SDK is held against, by the number under which the programs report it.

export const CHECKS = [
  { number: 1, title: "assistant, thread, message, run, answer" },
  { number: 2, title: "a stream's deltas add up to the final text" },
  { number: 3, title: "function calls, polled and streamed; partial and late outputs are refused" },
  { number: 4, title: "an active run locks its thread until it is cancelled" },
  { number: 5, title: "25 messages in pages of 10, in both orders" },
  { number: 6, title: "file search and its citations" },
  { number: 7, title: "the code interpreter and its files" },
  { number: 8, title: "version 1 of the API, and one object seen through both versions" },
  { number: 9, title: "errors: class, status, type, code, param" },
  { number: 10, title: "x-request-id on answers, errors and streams" },
  { number: 11, title: "a 429 is tried again, a locked thread is not" },
  { number: 12, title: "a run that ends incomplete" },
] as const;

export type CheckNumber = (typeof CHECKS)[number]["number"];
