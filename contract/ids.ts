// Identifiers as the Assistants API writes them: a prefix and 24 characters of [A-Za-z0-9].

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const ID_LENGTH = 24;
/** Bytes from here on would favour the first letters of the alphabet. */
const UNBIASED = 256 - (256 % ALPHABET.length);

export type IdPrefix = "asst_" | "thread_" | "msg_" | "run_" | "step_" | "call_" | "proj_" | "key_";

/** Makes a new random identifier, for example `run_V1StGXR8Z5jdHi6BmyT0aQ2c`. */
export function newId(prefix: IdPrefix): string {
  let id: string = prefix;
  while (id.length < prefix.length + ID_LENGTH) {
    for (const byte of crypto.getRandomValues(new Uint8Array(32))) {
      if (byte < UNBIASED && id.length < prefix.length + ID_LENGTH)
        id += ALPHABET[byte % ALPHABET.length];
    }
  }
  return id;
}
