// Two outputs in one stream, as Docker sends them: taken apart wherever they are cut, and no faster than they are read.
import assert from "node:assert/strict";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { waitUntil } from "../../test/support/wait-until.ts";
import { takeApart } from "./multiplexed.ts";

function frame(kind: number, content: string | Buffer): Buffer {
  const header = Buffer.alloc(8);
  header[0] = kind;
  header.writeUInt32BE(content.length, 4);
  return Buffer.concat([header, Buffer.from(content)]);
}

const SAID = Buffer.concat([frame(1, "one "), frame(2, "wrong"), frame(1, ""), frame(1, "two"), frame(2, "!")]);

for (const size of [1, 3, 8, 1000]) {
  test(`each output has its own, in pieces of ${size} bytes`, async () => {
    const pieces = Array.from({ length: Math.ceil(SAID.length / size) }, (_, n) =>
      SAID.subarray(n * size, (n + 1) * size),
    );
    const [output, errors] = [new PassThrough(), new PassThrough()];
    const [said, complained] = await Promise.all([
      text(output),
      text(errors),
      takeApart(Readable.from(pieces, { objectMode: false }), output, errors),
    ]);
    assert.deepEqual([said, complained], ["one two", "wrong!"]);
  });
}

test("what nobody reads is not taken from the stream, and the end of the stream ends the wait", async () => {
  let taken = 0;
  const endless = new Readable({
    read() {
      taken += 1;
      this.push(frame(1, Buffer.alloc(65_536)));
    },
  });
  const output = new PassThrough();
  const done = takeApart(endless, output, new PassThrough());
  await waitUntil("the output is full", () => output.writableNeedDrain);
  const most = taken + 2;
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(taken <= most, `${taken}`);
  endless.destroy();
  await done;
  assert.ok(output.writableEnded);
});
