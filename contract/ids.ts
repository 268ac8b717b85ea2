// Identifiers as the Assistants API writes them: a prefix and 24 characters of [A-Za-z0-9].

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const ID_LENGTH = 24;
/** Bytes from here on would favour the first letters of the alphabet. */
const UNBIASED = 256 - (256 % ALPHABET.length);
/** One byte in 32 is thrown away; with these a second draw is rare. */
const SPARE_BYTES = 8;

export type IdPrefix =
  | "asst_"
  | "thread_"
  | "msg_"
  | "run_"
  | "step_"
  | "call_"
  | "proj_"
  | "key_"
  | "file-"
  | "upload_"
  | "part_"
  | "vs_"
  | "vsfb_";

/** Makes a new random identifier, for example `run_V1StGXR8Z5jdHi6BmyT0aQ2c`. */
export function newId(prefix: IdPrefix): string {
  return prefix + randomText(ID_LENGTH);
}

/** Unpredictable characters of [A-Za-z0-9], close to 6 bits in each. */
export function randomText(length: number): string {
  let text = "";
  while (text.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length + SPARE_BYTES))) {
      if (byte < UNBIASED && text.length < length) text += ALPHABET[byte % ALPHABET.length];
    }
  }
  return text;
}
