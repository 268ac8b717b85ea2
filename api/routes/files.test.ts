import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, describe, test } from "node:test";
import type { FileObject } from "../../contract/file.ts";
import { MAX_FILE_BYTES } from "../../contract/limits.ts";
import { startTestApp } from "../../test/support/app.ts";
import type { Answer, ErrorBody, List, TestApp } from "../../test/support/app.ts";
import { FORM_TYPE, fileForm, formOf } from "../../test/support/forms.ts";
import { waitUntil } from "../../test/support/wait-until.ts";

let app: TestApp;
before(async () => {
  app = await startTestApp();
});
after(() => app.stop());

const form = { "content-type": FORM_TYPE };
const upload = <Body = FileObject>(
  body: Buffer,
  more: { as?: "alice" | "bob"; headers?: Record<string, string> } = {},
) =>
  app.call<Body>("POST", "/v1/files", {
    body,
    ...more,
    headers: { ...form, "openai-beta": undefined as never, ...more.headers },
  });

async function blobCount(): Promise<number> {
  let count = 0;
  for await (const _ of app.blobs.list()) count += 1;
  return count;
}
const rowCount = async () => (await app.db.query("select 1 from files")).rowCount ?? 0;

/** Sees to it that a refused request leaves neither a row nor a blob. */
async function refused(ask: () => Promise<Answer<ErrorBody>>): Promise<[number, string, string | null, string | null]> {
  const before = [await rowCount(), await blobCount()];
  const { status, body } = await ask();
  assert.deepEqual([await rowCount(), await blobCount()], before, "something was left behind");
  return [status, body.error.message, body.error.param, body.error.code];
}

describe("an upload", () => {
  test("is a file at once, with its bytes counted and hashed", async () => {
    const content = randomBytes(300_000);
    const { status, body } = await upload(fileForm(content));
    assert.equal(status, 200);
    assert.deepEqual(body, {
      id: body.id,
      object: "file",
      purpose: "assistants",
      filename: "notes.txt",
      bytes: 300_000,
      created_at: body.created_at,
      expires_at: null,
      status: "processed",
      status_details: null,
    });
    assert.match(body.id, /^file-[A-Za-z0-9]{24}$/);
    const { rows } = await app.db.query("select sha256, content_type from files where id = $1", [body.id]);
    assert.deepEqual(rows, [{ sha256: createHash("sha256").update(content).digest(), content_type: "text/plain" }]);
    assert.deepEqual((await app.call<FileObject>("GET", `/v1/files/${body.id}`)).body, body);
  });

  test("may have its parts in any order", async () => {
    const file = { name: "file", filename: "a.txt", content: "words" };
    const purpose = { name: "purpose", content: "vision" };
    const expiry = [
      { name: "expires_after[anchor]", content: "created_at" },
      { name: "expires_after[seconds]", content: "3600" },
    ];
    for (const parts of [
      [file, purpose, ...expiry],
      [...expiry, purpose, file],
      [expiry[1]!, file, expiry[0]!, purpose],
    ]) {
      const { status, body } = await upload(formOf(parts));
      assert.equal(status, 200, JSON.stringify(body));
      assert.equal(body.expires_at, body.created_at + 3600);
      assert.equal(body.purpose, "vision");
    }
  });

  for (const filename of ["名前 “Zoë” 😀.txt", "a;b=c.txt", "C:\\folder\\plain.txt"]) {
    test(`keeps the name ${filename}`, async () => {
      const { body } = await upload(fileForm("x", {}, filename));
      assert.equal(body.filename, filename.split("\\").at(-1));
      const { headers } = await app.call(
        "GET",
        `/v1/files/${await app.addFile({ filename, purpose: "vision" })}/content`,
      );
      assert.match(String(headers["content-disposition"]), /^attachment; filename/);
    });
  }

  test("is refused when something is missing, wrong or too much", async () => {
    const file = { name: "file", filename: "a.txt", content: "words" };
    const purpose = { name: "purpose", content: "assistants" };
    const ask = (parts: Parameters<typeof formOf>[0]) => refused(() => upload<ErrorBody>(formOf(parts)));
    const missing = (param: string) => [
      400,
      `Missing required parameter: '${param}'.`,
      param,
      "missing_required_parameter",
    ];
    assert.deepEqual(await ask([purpose]), missing("file"));
    assert.deepEqual(await ask([file]), missing("purpose"));
    assert.deepEqual(await ask([]), missing("file"));
    for (const parts of [
      [{ ...purpose, content: "world_domination" }, file],
      [file, { ...purpose, content: "world_domination" }],
    ]) {
      assert.deepEqual(await ask(parts), [
        400,
        "'world_domination' is not one of ['fine-tune', 'assistants', 'batch', 'user_data', 'vision', 'evals'] - 'purpose'",
        "purpose",
        null,
      ]);
    }
    assert.deepEqual(await ask([purpose, { ...file, content: "" }]), [
      400,
      "The file is empty.",
      "file",
      "invalid_value",
    ]);
    assert.deepEqual(
      (await ask([purpose, { name: "file", content: "words" }]))[1],
      "Invalid type for 'file': expected a file, but got a string instead.",
    );
    assert.deepEqual((await ask([purpose, file, file]))[1], "Invalid 'file': expected one file, but got more.");
    assert.deepEqual((await ask([purpose, file, { ...file, name: "another" }]))[1], "Unknown parameter: 'another'.");
    assert.deepEqual(
      (await ask([file, purpose, { name: "surprise", content: "1" }]))[1],
      "Unknown parameter: 'surprise'.",
    );
    assert.deepEqual((await ask([file, purpose, { name: "__proto__[x]", content: "1" }]))[0], 400);
    assert.deepEqual(
      (await ask([file, ...Array.from({ length: 40 }, (_, i) => ({ name: `f${i}`, content: "1" }))]))[0],
      400,
    );
    const seconds = (value: string) => [
      file,
      purpose,
      { name: "expires_after[anchor]", content: "created_at" },
      { name: "expires_after[seconds]", content: value },
    ];
    assert.deepEqual(await ask(seconds("3599")), [
      400,
      "Invalid 'expires_after.seconds': integer below minimum value. Expected a value >= 3600, but got 3599 instead.",
      "expires_after.seconds",
      "integer_below_min_value",
    ]);
    assert.deepEqual((await ask(seconds("2592001")))[3], "integer_above_max_value");
    assert.deepEqual((await ask(seconds("soon")))[3], "invalid_type");
  });

  test("is refused when it is no form, or half a one", async () => {
    const incomplete = "We could not parse the multipart form of your request: it is incomplete or malformed.";
    const whole = fileForm("some words that go on");
    for (const length of [whole.length - 4, whole.length - 20, whole.length - 60, 100, 10]) {
      const answer = await refused(() => upload<ErrorBody>(whole.subarray(0, length)));
      assert.ok([incomplete, "Missing required parameter: 'file'."].includes(answer[1]), `${length}: ${answer[1]}`);
    }
    const post = (body: string, type: string | undefined) =>
      refused(() => app.call("POST", "/v1/files", { body, headers: { "content-type": type } }));
    const other = (type: string) => [
      415,
      `Unsupported content type: '${type}'. Please send 'multipart/form-data'.`,
      null,
      null,
    ];
    assert.deepEqual(await post('{"purpose":"assistants"}', "application/json"), other("application/json"));
    assert.deepEqual(await post("words", "text/plain"), other("text/plain"));
    assert.deepEqual(
      await refused(() => app.call("POST", "/v1/files", { headers: { "content-type": undefined } })),
      other(""),
    );
    assert.deepEqual((await post("words", "multipart/form-data"))[1], incomplete);
  });

  test("leaves nothing behind when the client goes away in the middle", async () => {
    const port = await app.listen();
    const before = [await rowCount(), await blobCount()];
    const whole = fileForm(randomBytes(400_000));
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(
      `POST /v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${app.keyOf("alice")}\r\nContent-Type: ${FORM_TYPE}\r\nContent-Length: ${whole.length}\r\n\r\n`,
    );
    socket.write(whole.subarray(0, 300_000));
    await waitUntil("some of it is on the disk", () => app.unfinishedBlobs() > 0);
    socket.destroy();
    await waitUntil("nothing of it is there any more", () => app.unfinishedBlobs() === 0);
    assert.deepEqual([await rowCount(), await blobCount()], before);
  });

  test("that says it is larger than any file may be is refused before it comes", async () => {
    const port = await app.listen();
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(
      `POST /v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${app.keyOf("alice")}\r\nContent-Type: ${FORM_TYPE}\r\nContent-Length: ${MAX_FILE_BYTES * 2}\r\n\r\n`,
    );
    const [answer] = (await once(socket, "data")) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1.1 413 [^]*The file is too large. The maximum size is 536870912 bytes/);
    socket.destroy();
  });
});

describe("an upload with an Idempotency-Key", () => {
  test("that is sent again makes no second file", async () => {
    const body = fileForm("the same words");
    const headers = { "idempotency-key": "one" };
    const before = await blobCount();
    const [first, second] = await Promise.all([upload(body, { headers }), upload(body, { headers })]);
    const third = await upload(body, { headers });
    assert.equal(first.status, 200);
    assert.deepEqual([second.body, third.body], [first.body, first.body]);
    assert.equal(await blobCount(), before + 1);
  });

  test("is refused when the file is another one", async () => {
    const headers = { "idempotency-key": "two" };
    await upload(fileForm("some words"), { headers });
    for (const other of [
      fileForm("other words"),
      fileForm("some words", { purpose: "vision" }),
      fileForm("some words", {}, "b.txt"),
    ]) {
      assert.equal((await refused(() => upload<ErrorBody>(other, { headers })))[3], "idempotency_key_reused");
    }
  });
});

describe("the list of files", () => {
  test("has the newest first, pages, and the files of one purpose", async () => {
    const ids: string[] = [];
    for (const purpose of ["vision", "assistants", "vision"]) ids.push(await app.addFile({ as: "bob", purpose }));
    const list = (query: string) => app.call<List<FileObject>>("GET", `/v1/files${query}`, { as: "bob" });
    const idsOf = ({ body }: Answer<List<FileObject>>) => body.data.map(({ id }) => id);
    assert.deepEqual(idsOf(await list("")), ids.toReversed());
    assert.deepEqual(idsOf(await list("?purpose=vision&order=asc")), [ids[0], ids[2]]);
    assert.deepEqual(idsOf(await list("?purpose=nobodys")), []);
    const page = await list("?limit=2");
    assert.deepEqual([idsOf(page), page.body.has_more, page.body.last_id], [[ids[2], ids[1]], true, ids[1]]);
    assert.deepEqual(idsOf(await list(`?limit=2&after=${ids[1]}`)), [ids[0]]);
    assert.equal((await list("?limit=10000")).status, 200);
    assert.equal((await list("?limit=10001")).status, 400);
    assert.equal((await list("?after=file-never")).status, 400);
  });
});

describe("the content of a file", () => {
  test("comes back as it went", async () => {
    const content = randomBytes(1_000_000).toString("base64");
    const id = await app.addFile({ content, purpose: "vision" });
    const answer = await app.call("GET", `/v1/files/${id}/content`);
    assert.equal(answer.text, content);
    assert.equal(answer.headers["content-type"], "application/octet-stream");
    assert.equal(answer.headers["content-length"], String(content.length));
    assert.equal(answer.headers["content-disposition"], "attachment; filename=notes.txt");
  });

  for (const purpose of ["assistants", "user_data"]) {
    test(`of purpose ${purpose} is kept in`, async () => {
      const answer = await app.call("GET", `/v1/files/${await app.addFile({ purpose })}/content`);
      assert.deepEqual(
        [answer.status, answer.body.error.message],
        [400, `Not allowed to download files of purpose: ${purpose}`],
      );
    });
  }
});

describe("a file that is not there", () => {
  const GONE = (id: string) => [
    404,
    { error: { message: `No such File object: ${id}`, type: "invalid_request_error", param: "id", code: null } },
  ];
  async function isGone(id: string): Promise<void> {
    for (const [method, path] of [
      ["GET", ""],
      ["GET", "/content"],
      ["DELETE", ""],
    ] as const) {
      const { status, body } = await app.call(method, `/v1/files/${id}${path}`);
      assert.deepEqual([status, body], GONE(id));
    }
  }

  test("is a 404, whatever is wanted of it", () => isGone("file-never"));

  test("because it was deleted has no blob any more", async () => {
    const before = await blobCount();
    const id = await app.addFile();
    assert.deepEqual((await app.call("DELETE", `/v1/files/${id}`)).body, {
      id,
      object: "file",
      deleted: true,
    } as never);
    await isGone(id);
    assert.equal(await blobCount(), before);
  });

  test("because its time is over is in no list either", async () => {
    const id = await app.addFile();
    await app.db.query("update files set expires_at = now() where id = $1", [id]);
    await isGone(id);
    const { body } = await app.call<List<FileObject>>("GET", "/v1/files");
    assert.ok(!body.data.some((file) => file.id === id));
  });
});

test("a store that does not work is a 503, and there is no row", async () => {
  const broken = await startTestApp({ blobFolder: "/dev/null/blobs" });
  try {
    const answer = await broken.call("POST", "/v1/files", { body: fileForm("words"), headers: form });
    assert.deepEqual([answer.status, answer.body.error.type], [503, "server_error"]);
    assert.equal((await broken.db.query("select 1 from files")).rowCount, 0);
  } finally {
    await broken.stop();
  }
});

test("a blob whose row could not be committed is removed, or left for the janitor, and the client hears no 200", async () => {
  await app.db.query(
    "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$",
  );
  await app.db.query("create trigger refuse before insert on files for each row execute function refuse()");
  const before = await rowCount();
  const { status } = await upload(fileForm("words"));
  await app.db.query("drop trigger refuse on files");
  assert.deepEqual([status, await rowCount()], [500, before]);
});
