// Takes apart the one stream in which Docker's API carries what a container writes to its two outputs. Nothing is read while what was
// read before waits for its reader: a container may write without end.
import type { Readable, Writable } from "node:stream";

/** Kind of stream, three bytes of nothing, length of what follows. */
const HEADER_BYTES = 8;
const STDERR = 2;

/** Resolves at the end of the stream, however it comes. Both outputs have ended then. */
export async function takeApart(stream: Readable, output: Writable, errors: Writable): Promise<void> {
  let header = Buffer.alloc(0);
  let target = output;
  let left = 0;
  try {
    for await (const read of stream) {
      let chunk = read as Buffer;
      while (chunk.length > 0) {
        if (left > 0) {
          const part = chunk.subarray(0, left);
          left -= part.length;
          chunk = chunk.subarray(part.length);
          if (!target.write(part)) await untilThereIsRoom(target, stream);
          continue;
        }
        const missing = HEADER_BYTES - header.length;
        header = Buffer.concat([header, chunk.subarray(0, missing)]);
        chunk = chunk.subarray(missing);
        if (header.length < HEADER_BYTES) continue;
        target = header[0] === STDERR ? errors : output;
        left = header.readUInt32BE(4);
        header = Buffer.alloc(0);
      }
    }
  } catch {
    // The line broke: that the container has ended is noticed elsewhere.
  } finally {
    output.end();
    errors.end();
  }
}

/** Or until the stream is closed. */
async function untilThereIsRoom(target: Writable, stream: Readable): Promise<void> {
  if (stream.destroyed) throw new Error("Nobody reads any more");
  return new Promise((resolve) => {
    const go = () => {
      target.off("drain", go);
      stream.off("close", go);
      resolve();
    };
    target.on("drain", go);
    stream.on("close", go);
  });
}
