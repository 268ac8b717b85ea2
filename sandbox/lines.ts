// Lines out of a stream of bytes from a process that may say anything: no line is longer than it may be, and all are UTF-8.
import { MAX_SANDBOX_LINE_BYTES } from "../contract/limits.ts";

const NEWLINE = 10;

/** A line too long, or one that is no text. */
export class BadLine extends Error {
  override name = "BadLine";
}

/** Nothing is read before somebody asks for the next line. What follows the last newline is dropped. */
export async function* readLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<string, undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let parts: Buffer[] = [];
  let length = 0;
  for await (let chunk of chunks) {
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE)) {
      check(length + end);
      yield decode(decoder, Buffer.concat([...parts, chunk.subarray(0, end)]));
      chunk = chunk.subarray(end + 1);
      [parts, length] = [[], 0];
    }
    check((length += chunk.length));
    if (chunk.length > 0) parts.push(chunk);
  }
  return undefined;
}

function check(length: number): void {
  if (length > MAX_SANDBOX_LINE_BYTES) throw new BadLine("The line is too long");
}

function decode(decoder: TextDecoder, line: Buffer): string {
  try {
    return decoder.decode(line);
  } catch (error) {
    throw new BadLine("The line is not UTF-8", { cause: error });
  }
}
