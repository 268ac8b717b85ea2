// Files and uploads: what a client sends and reads, and what follows from it.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { FORM_TYPE, formOf } from "../support/forms.ts";
import type { FormPart } from "../support/forms.ts";
import type { List } from "../support/app.ts";
import { ANY, assertRefused, badRequest, missing, notFound, tooBig, tooSmall, unknownParameter } from "./refusals.ts";
import type { Refusal } from "./refusals.ts";
import { requestRows } from "./request-rows.ts";
import type { Endpoint } from "./request-rows.ts";
import { deletion, rule } from "./row.ts";
import type { Field, Row } from "./row.ts";
import { choice, integer, object, required, text, unseen } from "./values.ts";
import { fileIds } from "./world.ts";
import type { Made, World } from "./world.ts";

const FORM = { headers: { "content-type": FORM_TYPE } };
const FILE: FormPart = { name: "file", filename: "notes.txt", content: "words" };
const PURPOSE: FormPart = { name: "purpose", content: "vision" };
const PURPOSES = ["fine-tune", "assistants", "batch", "user_data", "vision", "evals"];
const WRONG_PURPOSE =
  "'world_domination' is not one of ['fine-tune', 'assistants', 'batch', 'user_data', 'vision', 'evals'] - 'purpose'";

const expiry = (seconds: string, anchor = "created_at"): FormPart[] => [
  { name: "expires_after[anchor]", content: anchor },
  { name: "expires_after[seconds]", content: seconds },
];

const add = (world: World, parts: readonly FormPart[]): Promise<Made> => world.post("/files", formOf(parts), FORM);

async function refuses(world: World, parts: readonly FormPart[], refusal: Refusal): Promise<void> {
  assertRefused(await world.call("POST", "/files", { body: formOf(parts), ...FORM }), refusal);
}

const field =
  (schema: Field["schema"]) =>
  (...paths: string[]) => ({ covers: paths.map((path) => ({ schema, path })) });
const ofForm = field("CreateFile");
const ofFile = field("File");
const ofQuery = field("ListFilesQuery");
const request = { kind: "request" as const };
const response = { kind: "response" as const };

const fileRules: Row<World>[] = [
  rule(
    "files.create.file",
    "1.6",
    "a part with a name, required; its content is kept byte by byte, in whatever place of the form it is",
    async (world) => {
      for (const parts of [
        [FILE, PURPOSE],
        [PURPOSE, FILE],
      ]) {
        const { id } = await add(world, parts);
        assert.equal((await world.call("GET", `/files/${id}/content`)).text, "words");
      }
      await refuses(world, [PURPOSE], missing("file"));
    },
    { ...request, ...ofForm("file") },
  ),
  rule(
    "files.create.purpose",
    "1.6",
    `one of ${PURPOSES.join(", ")}, required`,
    async (world) => {
      for (const purpose of PURPOSES) {
        assert.equal((await add(world, [{ ...PURPOSE, content: purpose }, FILE]))["purpose"], purpose);
      }
      await refuses(world, [FILE], missing("purpose"));
      await refuses(world, [FILE, { ...PURPOSE, content: "world_domination" }], badRequest(WRONG_PURPOSE, "purpose"));
    },
    { ...request, ...ofForm("purpose") },
  ),
  rule(
    "files.create.expires_after",
    "1.6",
    "an anchor, created_at, and 3600 to 2592000 seconds from it",
    async (world) => {
      for (const seconds of [3600, 2_592_000]) {
        const { created_at, expires_at } = await add(world, [FILE, PURPOSE, ...expiry(String(seconds))]);
        assert.equal(expires_at, (created_at as number) + seconds);
      }
      assert.equal((await add(world, [FILE, PURPOSE]))["expires_at"], null);
      const param = "expires_after.seconds";
      await refuses(world, [FILE, PURPOSE, ...expiry("3599")], tooSmall(param, "integer", 3600, 3599));
      await refuses(world, [FILE, PURPOSE, ...expiry("2592001")], tooBig(param, "integer", 2_592_000, 2_592_001));
      await refuses(
        world,
        [FILE, PURPOSE, ...expiry("3600", "now")],
        badRequest(/^Invalid/, "expires_after.anchor", ANY),
      );
      await refuses(world, [FILE, PURPOSE, expiry("3600")[0] as FormPart], missing(param));
    },
    { ...request, ...ofForm("expires_after", "expires_after.anchor", "expires_after.seconds") },
  ),
  rule("files.create.unknown", "0.2", "a form has no unknown fields", async (world) => {
    await refuses(world, [FILE, PURPOSE, { name: "surprise", content: "1" }], unknownParameter("surprise"));
  }),
  rule("files.create.form", "1.6", "a file comes as a form and not as JSON", async (world) => {
    const { status } = await world.call("POST", "/files", { body: { purpose: "vision" } });
    assert.equal(status, 415);
  }),
  rule("files.create.without-beta", "0.2", "files ask for no beta header", async (world) => {
    const headers = { "openai-beta": undefined };
    assert.equal((await world.call("GET", "/files", { headers })).status, 200);
  }),
  rule(
    "files.object",
    "1.6",
    "a file has its fields and no others, when it is made, read and listed",
    async (world) => {
      const made = await add(world, [FILE, PURPOSE]);
      const { id, created_at, ...rest } = made;
      assert.match(id, /^file-[A-Za-z0-9]{24}$/);
      assert.ok(Math.abs((created_at as number) - Date.now() / 1000) < 60);
      const always = { object: "file", status: "processed", status_details: null, expires_at: null };
      assert.deepEqual(rest, { ...always, purpose: "vision", filename: "notes.txt", bytes: 5 });
      assert.deepEqual(await world.get(`/files/${id}`), made);
      const { data } = await world.get<List<Made>>("/files");
      assert.deepEqual(
        data.find((file) => file.id === id),
        made,
      );
    },
    {
      ...response,
      ...ofFile("id", "object", "purpose", "filename", "bytes", "created_at", "expires_at", "status", "status_details"),
    },
  ),
  rule(
    "files.list.limit",
    "0.3",
    "limit is an integer from 1 to 10,000; without it 10,000",
    async (world) => {
      assert.equal((await world.get<List<Made>>("/files?limit=1")).data.length, 1);
      assert.ok((await world.get<List<Made>>("/files")).data.length > 20);
      assertRefused(await world.call("GET", "/files?limit=0"), tooSmall("limit", "integer", 1, 0));
      assertRefused(await world.call("GET", "/files?limit=10001"), tooBig("limit", "integer", 10_000, 10_001));
    },
    { ...request, ...ofQuery("limit") },
  ),
  rule(
    "files.list.order",
    "0.3",
    "order is asc or desc, without it desc, and after goes on behind a file",
    async (world) => {
      // Of the other purpose there are more than a page holds.
      const form: FormPart[] = [FILE, { ...PURPOSE, content: "evals" }];
      const made = [await add(world, form), await add(world, form)].map(({ id }) => id);
      const idsOf = async (query: string) => {
        const { data } = await world.get<List<Made>>(`/files?purpose=evals${query}`);
        return data.map(({ id }) => id).filter((id) => made.includes(id));
      };
      assert.deepEqual(await idsOf(""), made.toReversed());
      assert.deepEqual(await idsOf("&order=asc"), made);
      assert.deepEqual(await idsOf(`&order=asc&after=${made[0]}`), made.slice(1));
      const unknown = badRequest(/^Invalid 'after': 'file-never'/, "after", ANY);
      assertRefused(await world.call("GET", "/files?after=file-never"), unknown);
    },
    { ...request, ...ofQuery("order", "after") },
  ),
  rule(
    "files.list.purpose",
    "1.6",
    "with a purpose, the files of that purpose",
    async (world) => {
      await add(world, [FILE, PURPOSE]);
      await add(world, [FILE, { ...PURPOSE, content: "evals" }]);
      const { data } = await world.get<List<Made>>("/files?purpose=evals");
      assert.deepEqual([...new Set(data.map(({ purpose }) => purpose))], ["evals"]);
    },
    { ...request, ...ofQuery("purpose") },
  ),
  rule("files.content", "1.6", "files for vision and batches can be downloaded", async (world) => {
    const { id } = await add(world, [FILE, PURPOSE]);
    const { status, text, headers } = await world.call("GET", `/files/${id}/content`);
    assert.deepEqual([status, text, headers["content-type"]], [200, "words", "application/octet-stream"]);
  }),
  rule(
    "files.content.refused",
    "5.4",
    "files for assistants and of users cannot",
    async (world) => {
      for (const purpose of ["assistants", "user_data"]) {
        const { id } = await add(world, [FILE, { ...PURPOSE, content: purpose }]);
        const refusal = badRequest(`Not allowed to download files of purpose: ${purpose}`);
        assertRefused(await world.call("GET", `/files/${id}/content`), refusal);
      }
    },
    { kind: "error" },
  ),
  rule(
    "files.unknown",
    "5.4",
    "an unknown file is named, with the parameter id",
    async (world) => {
      const refusal = notFound("No such File object: file-never", "id");
      assertRefused(await world.call("GET", "/files/file-never"), refusal);
      assertRefused(await world.call("GET", "/files/file-never/content"), refusal);
      assertRefused(await world.call("DELETE", "/files/file-never"), refusal);
    },
    { kind: "error" },
  ),
  rule(
    "files.named.unknown",
    "5.4",
    "a file that a request names and that is not there is refused",
    async (world) => {
      const body = { tool_resources: { code_interpreter: { file_ids: [...fileIds(1), "file-never"] } } };
      assertRefused(await world.call("POST", "/threads", { body }), notFound("Files ['file-never'] were not found"));
    },
    { kind: "error" },
  ),
  deletion(
    "files.delete",
    "deleting says what was deleted, and it is in no list of files of a tool any more",
    async (world) => {
      const { id } = await add(world, [FILE, PURPOSE]);
      const thread = await world.post("/threads", { tool_resources: { code_interpreter: { file_ids: [id] } } });
      assert.deepEqual(await world.remove(`/files/${id}`), { id, object: "file", deleted: true });
      const { tool_resources } = await world.get(`/threads/${thread.id}`);
      assert.deepEqual(tool_resources, { code_interpreter: { file_ids: [] } });
    },
  ),
];

// --- uploads -----------------------------------------------------------------------------------

const NEW_UPLOAD = { purpose: "vision", filename: "a.png", bytes: 5, mime_type: "image/png" };

const createUpload: Endpoint = {
  id: "uploads.create",
  source: "1.7",
  schema: "CreateUpload",
  base: async () => NEW_UPLOAD,
  target: async () => "/uploads",
  refusedAt: async () => "/uploads",
};

async function uploadWithPart(world: World): Promise<{ id: string; part: Made }> {
  const { id } = await world.post("/uploads", NEW_UPLOAD);
  const form = formOf([{ name: "data", filename: "blob", content: "words" }]);
  return { id, part: await world.post(`/uploads/${id}/parts`, form, FORM) };
}

const OBJECT_FIELDS = ["id", "object", "bytes", "created_at", "filename", "purpose", "status", "expires_at", "file"];

const uploadRules: Row<World>[] = [
  rule(
    "uploads.object",
    "1.7",
    "an upload is pending for an hour and has no file; completed, it has one",
    async (world) => {
      const made = await world.post("/uploads", NEW_UPLOAD);
      const { mime_type: _, ...shown } = NEW_UPLOAD;
      const { id, created_at, ...rest } = made;
      assert.match(id, /^upload_[A-Za-z0-9]{24}$/);
      const expires_at = (created_at as number) + 3600;
      assert.deepEqual(rest, { ...shown, object: "upload", status: "pending", expires_at, file: null });
      const { id: other, part } = await uploadWithPart(world);
      const done = await world.post(`/uploads/${other}/complete`, { part_ids: [part.id] });
      const file = done["file"] as Made;
      assert.equal(done["status"], "completed");
      assert.deepEqual(file, await world.get(`/files/${file.id}`));
    },
    {
      ...response,
      ...field("Upload")(
        ...OBJECT_FIELDS,
        ...["id", "object", "purpose", "filename", "bytes", "created_at", "expires_at", "status", "status_details"].map(
          (name) => `file.${name}`,
        ),
      ),
    },
  ),
  rule(
    "uploads.parts",
    "1.7",
    "a part is a form with data, and says which upload it is of",
    async (world) => {
      const { id, part } = await uploadWithPart(world);
      assert.match(part.id, /^part_[A-Za-z0-9]{24}$/);
      const created_at = part["created_at"];
      assert.deepEqual(part, { id: part.id, object: "upload.part", created_at, upload_id: id });
      const empty = { body: formOf([]), ...FORM };
      assertRefused(await world.call("POST", `/uploads/${id}/parts`, empty), missing("data"));
    },
    {
      covers: [
        { schema: "AddUploadPart", path: "data" },
        ...["id", "object", "created_at", "upload_id"].map((path) => ({ schema: "UploadPart", path })),
      ],
    },
  ),
  rule(
    "uploads.complete.part_ids",
    "1.7",
    "the ids of the parts in the order of the file, required; they have to have the bytes that were announced",
    async (world) => {
      const { id, part } = await uploadWithPart(world);
      const at = `/uploads/${id}/complete`;
      assertRefused(await world.call("POST", at, { body: {} }), missing("part_ids"));
      const short = await world.post("/uploads", { ...NEW_UPLOAD, bytes: 6 });
      const form = formOf([{ name: "data", filename: "blob", content: "words" }]);
      const shortPart = await world.post(`/uploads/${short.id}/parts`, form, FORM);
      const mismatch = badRequest(/5 bytes together, .* for 6 bytes/, "part_ids", ANY);
      const body = { part_ids: [shortPart.id] };
      assertRefused(await world.call("POST", `/uploads/${short.id}/complete`, { body }), mismatch);
      assert.equal((await world.post(at, { part_ids: [part.id] }))["status"], "completed");
    },
    { ...request, ...field("CompleteUpload")("part_ids") },
  ),
  rule(
    "uploads.complete.md5",
    "1.7",
    "an md5 of the whole, or null, which it has to have",
    async (world) => {
      const { id, part } = await uploadWithPart(world);
      const wrong = { part_ids: [part.id], md5: "0".repeat(32) };
      const refusal = badRequest(/checksum/, "md5", ANY);
      assertRefused(await world.call("POST", `/uploads/${id}/complete`, { body: wrong }), refusal);
      const md5 = createHash("md5").update("words").digest("hex");
      assert.equal((await world.post(`/uploads/${id}/complete`, { ...wrong, md5 }))["status"], "completed");
      const another = await uploadWithPart(world);
      const without = { part_ids: [another.part.id], md5: null };
      assert.equal((await world.post(`/uploads/${another.id}/complete`, without))["status"], "completed");
    },
    { ...request, ...field("CompleteUpload")("md5") },
  ),
  rule("uploads.cancel", "1.7", "a cancelled upload takes no parts and is not completed", async (world) => {
    const { id, part } = await uploadWithPart(world);
    assert.equal((await world.post(`/uploads/${id}/cancel`))["status"], "cancelled");
    const over = badRequest(`Upload ${id} cannot be changed: its status is 'cancelled'.`);
    const body = { part_ids: [part.id] };
    assertRefused(await world.call("POST", `/uploads/${id}/complete`, { body }), over);
  }),
];

export const fileRows: Row<World>[] = [
  ...fileRules,
  ...requestRows(createUpload, {
    purpose: required(choice(["assistants", "batch", "fine-tune", "vision"])),
    filename: required(text({ max: 512, sample: "a.png" })),
    bytes: required(integer({ min: 1, max: 8 * 1024 ** 3 })),
    mime_type: required(unseen(text({ max: 256, sample: "image/png" }))),
    expires_after: unseen(
      object({
        anchor: required(unseen(choice(["created_at"]))),
        seconds: required(unseen(integer({ min: 3600, max: 2_592_000 }))),
      }),
    ),
  }),
  ...uploadRules,
];
