// Every 64 kB that come over a socket are a buffer of their own. V8 does not see how large they are and lets a hundred
// megabytes of used ones lie before it looks: so it is told to, now and then, while a file passes.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** What may lie around. A look at the young objects takes about a millisecond. */
const BYTES_BETWEEN = 16 * 1024 * 1024;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as (options: { type: "minor" }) => void;
setFlagsFromString("--no-expose-gc");

let passed = 0;

/** To be told of every chunk of a file, of all requests together. */
export function countPassed(bytes: number): void {
  passed += bytes;
  if (passed < BYTES_BETWEEN) return;
  passed = 0;
  collect({ type: "minor" });
}
