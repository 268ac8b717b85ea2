import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, describe, test } from "node:test";
import type { Upload, UploadPart } from "../../contract/upload.ts";
import { MAX_UPLOAD_BYTES, MAX_UPLOAD_PART_BYTES } from "../../contract/limits.ts";
import { startTestApp } from "../../test/support/app.ts";
import type { Answer, ErrorBody, TestApp } from "../../test/support/app.ts";
import { FORM_TYPE, formOf } from "../../test/support/forms.ts";

let app: TestApp;
before(async () => {
  app = await startTestApp();
});
after(() => app.stop());

const HEADERS = { "openai-beta": undefined };
const NEW = { purpose: "vision", filename: "grüße.png", mime_type: "image/png" };

const post = <Body = ErrorBody>(path: string, body?: unknown) =>
  app.call<Body>("POST", `/v1/uploads${path}`, { body, headers: HEADERS });

async function ok<Body>(answer: Promise<Answer<Body>>): Promise<Body> {
  const { status, body, text } = await answer;
  assert.equal(status, 200, text);
  return body;
}

const begin = (bytes: number, more: object = {}) => ok(post<Upload>("", { ...NEW, bytes, ...more }));

const sendPart = <Body = UploadPart>(upload: string, content: Uint8Array | string, name = "data") =>
  app.call<Body>("POST", `/v1/uploads/${upload}/parts`, {
    body: formOf([{ name, filename: "blob", content }]),
    headers: { ...HEADERS, "content-type": FORM_TYPE },
  });
const addPart = async (upload: string, content: Uint8Array | string) => (await ok(sendPart(upload, content))).id;

async function blobCount(): Promise<number> {
  let count = 0;
  for await (const _ of app.blobs.list()) count += 1;
  return count;
}

async function refused(answer: Promise<Answer<ErrorBody>>): Promise<[number, string]> {
  const { status, body } = await answer;
  return [status, body.error.message];
}

describe("an upload", () => {
  test("is pending for an hour, without a file", async () => {
    const upload = await begin(10);
    assert.deepEqual(upload, {
      id: upload.id,
      object: "upload",
      bytes: 10,
      created_at: upload.created_at,
      filename: "grüße.png",
      purpose: "vision",
      status: "pending",
      expires_at: upload.created_at + 3600,
      file: null,
    });
    assert.match(upload.id, /^upload_[A-Za-z0-9]{24}$/);
  });

  test("is joined in the order of its part_ids, whatever order the parts came in, side by side", async () => {
    const contents = [randomBytes(70_000), randomBytes(1), randomBytes(200_000), randomBytes(3)];
    const whole = Buffer.concat(contents);
    const before = await blobCount();
    const { id } = await begin(whole.length, { expires_after: { anchor: "created_at", seconds: 7200 } });
    const sent = await Promise.all(
      [2, 0, 3, 1].map(async (at) => [at, await addPart(id, contents[at] as Buffer)] as const),
    );
    const superfluous = await addPart(id, "superfluous");
    assert.equal(await blobCount(), before + 5);
    const part_ids = sent.toSorted(([a], [b]) => a - b).map(([, part]) => part);
    const md5 = createHash("md5").update(whole).digest("hex");
    const upload = await ok(post<Upload>(`/${id}/complete`, { part_ids, md5: md5.toUpperCase() }));
    const { file } = upload;
    assert.equal(upload.status, "completed");
    assert.deepEqual((await app.call<unknown>("GET", `/v1/files/${file?.id}`)).body, file);
    assert.partialDeepStrictEqual(file, { purpose: "vision", filename: "grüße.png", bytes: whole.length });
    assert.equal(file?.expires_at, (file?.created_at ?? 0) + 7200);
    const { rows } = await app.db.query("select sha256 from files where id = $1", [file?.id]);
    assert.deepEqual(rows[0].sha256, createHash("sha256").update(whole).digest());
    assert.equal(await blobCount(), before + 1, "the parts are gone");
    assert.deepEqual(await refused(sendPart<ErrorBody>(id, "x")), over(id, "completed"));
    assert.deepEqual(await refused(post(`/${id}/complete`, { part_ids: [superfluous] })), over(id, "completed"));
    assert.deepEqual(await refused(post(`/${id}/cancel`)), over(id, "completed"));
  });

  test("completed twice at once makes one file", async () => {
    const { id } = await begin(3);
    const part_ids = [await addPart(id, "abc")];
    const before = await blobCount();
    const answers = await Promise.all([0, 1, 2].map(() => post<Upload>(`/${id}/complete`, { part_ids })));
    assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 400, 400]);
    assert.equal(await blobCount(), before, "the part is gone, the file is there");
  });

  test("is not completed when the parts are not what they should be, and can be completed afterwards", async () => {
    const { id } = await begin(6);
    const [abc, def] = [await addPart(id, "abc"), await addPart(id, "def")];
    const elsewhere = await addPart((await begin(3)).id, "abc");
    const before = await blobCount();
    const complete = (body: object) => refused(post(`/${id}/complete`, body));
    assert.deepEqual(await complete({ part_ids: [abc] }), [
      400,
      "The parts have 3 bytes together, but the upload was created for 6 bytes.",
    ]);
    assert.deepEqual(await complete({ part_ids: [abc, abc] }), [
      400,
      `Invalid 'part_ids': the part '${abc}' is named more than once.`,
    ]);
    for (const part of ["part_never", elsewhere]) {
      assert.deepEqual(await complete({ part_ids: [abc, part] }), [
        404,
        `No part found with id '${part}' in upload '${id}'.`,
      ]);
    }
    assert.deepEqual(await complete({ part_ids: [abc, def], md5: "0".repeat(32) }), [
      400,
      "Invalid 'md5': the content of the parts has another checksum.",
    ]);
    assert.deepEqual(await complete({ part_ids: [] }), [
      400,
      "Invalid 'part_ids': array too short. Expected an array with minimum length 1, but got an empty array instead.",
    ]);
    assert.equal(await blobCount(), before, "nothing is left behind, and no part is lost");
    assert.equal((await ok(post<Upload>(`/${id}/complete`, { part_ids: [def, abc] }))).file?.bytes, 6);
  });

  test("that is cancelled takes nothing any more, and its parts are gone", async () => {
    const before = await blobCount();
    const { id } = await begin(6);
    const part = await addPart(id, "abcdef");
    assert.equal((await ok(post<Upload>(`/${id}/cancel`))).status, "cancelled");
    assert.equal(await blobCount(), before);
    assert.deepEqual(await refused(sendPart<ErrorBody>(id, "x")), over(id, "cancelled"));
    assert.deepEqual(await refused(post(`/${id}/complete`, { part_ids: [part] })), over(id, "cancelled"));
    assert.deepEqual(await refused(post(`/${id}/cancel`)), over(id, "cancelled"));
  });

  test("whose hour is over takes nothing any more", async () => {
    const { id } = await begin(6);
    const part = await addPart(id, "abcdef");
    await app.db.query("update uploads set expires_at = now() where id = $1", [id]);
    assert.deepEqual(await refused(sendPart<ErrorBody>(id, "x")), over(id, "expired"));
    assert.deepEqual(await refused(post(`/${id}/complete`, { part_ids: [part] })), over(id, "expired"));
    assert.deepEqual(await refused(post(`/${id}/cancel`)), over(id, "expired"));
  });

  test("is a 404 when there is none, and leaves nothing behind", async () => {
    const before = await blobCount();
    const gone = [404, "No upload found with id 'upload_never'."];
    assert.deepEqual(await refused(sendPart<ErrorBody>("upload_never", "x")), gone);
    assert.deepEqual(await refused(post("/upload_never/complete", { part_ids: ["part_a"] })), gone);
    assert.deepEqual(await refused(post("/upload_never/cancel")), gone);
    assert.equal(await blobCount(), before);
  });

  test("may be of 8 GB and not a byte more", async () => {
    assert.equal((await begin(MAX_UPLOAD_BYTES)).bytes, MAX_UPLOAD_BYTES);
    assert.equal((await post("", { ...NEW, bytes: MAX_UPLOAD_BYTES + 1 })).body.error.code, "integer_above_max_value");
    assert.equal((await post("", { ...NEW, bytes: 0 })).body.error.code, "integer_below_min_value");
  });
});

describe("a part", () => {
  test("has an id and names its upload", async () => {
    const { id } = await begin(3);
    const part = await ok(sendPart(id, "abc"));
    assert.deepEqual(part, { id: part.id, object: "upload.part", created_at: part.created_at, upload_id: id });
    assert.match(part.id, /^part_[A-Za-z0-9]{24}$/);
  });

  test("is refused when it is empty, called otherwise, or larger than 64 MB, and leaves nothing behind", async () => {
    const { id } = await begin(3);
    const before = await blobCount();
    assert.deepEqual(await refused(sendPart<ErrorBody>(id, "")), [400, "The file is empty."]);
    assert.deepEqual(await refused(sendPart<ErrorBody>(id, "x", "file")), [400, "Unknown parameter: 'file'."]);
    assert.deepEqual(await refused(sendPart<ErrorBody>(id, Buffer.alloc(MAX_UPLOAD_PART_BYTES + 1))), [
      413,
      "The file is too large. The maximum size is 67108864 bytes.",
    ]);
    assert.equal(await blobCount(), before);
    assert.equal(app.unfinishedBlobs(), 0);
  });
});

function over(id: string, status: string): [number, string] {
  return [400, `Upload ${id} cannot be changed: its status is '${status}'.`];
}
