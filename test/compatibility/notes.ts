// Where a field is not simply as OpenAI's was: why, and how to see it. A field without a note is exact, and the rows of
// test/contract/ show that it is.

/** What can be said of a field besides that it is exact. */
export type State = "extension" | "differs";

export interface Note {
  /** `Schema.path`. */
  field: string;
  state: State;
  why: string;
}

const ANY_MODEL = "any name is taken, and looked up when the run begins; OpenAI's refused names that it did not know";
const LIFETIME = "how long this run may take, instead of ten minutes";

/** Bodies that hold the same things in different places. */
const IN_ASSISTANTS = ["CreateAssistant", "ModifyAssistant"];
const WITH_MESSAGES = [
  "CreateMessage.",
  "CreateThread.messages[].",
  "CreateRun.additional_messages[].",
  "CreateThreadAndRun.thread.messages[].",
];

export const NOTES: readonly Note[] = [
  ...[...IN_ASSISTANTS, "CreateRun", "CreateThreadAndRun"].map((schema): Note => ({
    field: `${schema}.model`,
    state: "differs",
    why: ANY_MODEL,
  })),
  ...["CreateRun", "CreateThreadAndRun"].map((schema): Note => ({
    field: `${schema}.expires_after_seconds`,
    state: "extension",
    why: LIFETIME,
  })),
  ...WITH_MESSAGES.flatMap((place): Note[] => [
    {
      field: `${place}content[].image_file.file_id`,
      state: "differs",
      why: "has to be there; models are shown images of up to 20 MiB, and a note in the place of others",
    },
    {
      field: `${place}content[].image_url.url`,
      state: "extension",
      why: "besides http and https, `data:` URLs of images are taken",
    },
  ]),
  {
    field: "SearchVectorStore.rewrite_query",
    state: "differs",
    why: "the model of `REWRITE_MODEL` rewrites; while it fails the query is used, and shown, as it is",
  },
  {
    field: "SearchVectorStore.ranking_options.ranker",
    state: "differs",
    why: "`none` leaves out the endpoint of `RERANK_BASE_URL`, if there is one; all others are the same",
  },
  {
    field: "RunStep.expires_at",
    state: "differs",
    why: "OpenAI's documents had `expired_at`, its answers `expires_at`; both are sent",
  },
  {
    field: "RunStep.metadata",
    state: "differs",
    why: "documented by OpenAI and missing from its answers; sent, always empty",
  },
  {
    field: "Message.status",
    state: "differs",
    why: "OpenAI left `status`, `completed_at` and what belongs to them out of answers that are not streamed; sent everywhere",
  },
];

/** Matters that OpenAI's documents left open or said in two ways: what this server does, and the rows that show it. */
export const CHOICES: readonly { matter: string; choice: string; rows: readonly string[] }[] = [
  {
    matter: "Text of a 404 for a message, run or step",
    choice: "As for assistants: `No run found with id 'run_X'.`; also when it exists on another thread",
    rows: ["errors.unknown.message", "errors.unknown.run", "errors.unknown.step"],
  },
  {
    matter: "`before`, alone and together with `after`",
    choice: "The items directly in front of the cursor, in the order asked for; with `after`, what lies between",
    rows: ["runs.list.before", "runs.list.after-and-before"],
  },
  { matter: "A cursor that is not in the list", choice: "400, with `param`", rows: ["runs.list.cursor"] },
  {
    matter: "Metadata and lists in a modification",
    choice: "Replaced as a whole; null empties, and puts other fields back to their defaults",
    rows: ["messages.modify.others", "assistants.modify.others", "assistants.tool_resources.replaced"],
  },
  {
    matter: "Attachments of one message",
    choice: "Up to 20",
    rows: ["errors.array-too-long"],
  },
  {
    matter: "Tools of a run",
    choice: "Up to 128, as many as an assistant may have",
    rows: ["runs.create.tools"],
  },
  { matter: "Messages of a thread", choice: "Up to 100,000, then 400", rows: ["messages.create.full"] },
  {
    matter: "`additional_instructions`",
    choice: "Follow the instructions after a line break, and are shown with them",
    rows: ["runs.create.additional_instructions.joined"],
  },
  { matter: "A run on an empty thread", choice: "Is made", rows: ["runs.create.empty-thread"] },
  {
    matter: "Deleting a thread with an active run",
    choice: "Is allowed; the run is cancelled",
    rows: ["threads.delete.active"],
  },
  {
    matter: "Messages of a locked thread",
    choice: "Can be modified and deleted, not added",
    rows: ["messages.under-lock"],
  },
  {
    matter: "Outputs with unknown, doubled or superfluous ids",
    choice: "The same 400 as for missing ones",
    rows: ["errors.outputs.unknown", "errors.outputs.duplicate", "errors.outputs.more"],
  },
  {
    matter: "Cancelling twice",
    choice: "400: `Cannot cancel run with status 'cancelling'.`",
    rows: ["errors.cancel.cancelling"],
  },
  {
    matter: "Paths of version 1 in version 2, and the other way round",
    choice: "404: `Invalid URL (…)`",
    rows: ["transport.url.first-version"],
  },
  { matter: "Listing threads", choice: "404, as OpenAI", rows: ["threads.list"] },
  {
    matter: "The pause that pollers are told",
    choice: "`openai-poll-after-ms: 500` on every answer with one run",
    rows: ["transport.answers.poll-after"],
  },
  {
    matter: "A file that a request names and that does not exist",
    choice: "404: `Files ['file-X'] were not found`",
    rows: ["files.named.unknown", "vector-store-files.create.unknown", "messages.attachments.search"],
  },
  {
    matter: "Deleting a file that is in use",
    choice: "Is allowed; it leaves the lists of files of all assistants and threads, attachments of messages stay",
    rows: ["files.delete"],
  },
  {
    matter: "Adding a file that the store has already",
    choice:
      "It stays what it is, but for attributes that are given, and belongs to the newer batch. It is read again when it is to be cut in another way, or has failed or was cancelled",
    rows: ["vector-store-files.create.again"],
  },
  {
    matter: "What an expired store is still good for",
    choice: "It is shown, listed and deleted; everything else is refused (400), also a modification",
    rows: ["vector-stores.expired"],
  },
  {
    matter: "Cancelling a file batch",
    choice: "What is not done is cancelled before the answer; a batch that is through stays as it is, and no error",
    rows: ["file-batches.cancel", "file-batches.cancel.through"],
  },
  { matter: "Files of one batch", choice: "Up to 2,000", rows: ["file-batches.create.file_ids"] },
  { matter: "Files of one vector store", choice: "Up to 10,000, then 400", rows: ["vector-store-files.full"] },
  {
    matter: "Deleting a vector store that a tool works with",
    choice: "Is allowed; the tool has none after that",
    rows: ["vector-stores.delete"],
  },
  {
    matter: "Naming a vector store that is not there",
    choice: "404: `No vector store found with id 'vs_X'.`",
    rows: ["vector-stores.unknown-reference"],
  },
  {
    matter: "The beta header on vector stores",
    choice: "Optional, and without effect",
    rows: ["vector-stores.header"],
  },
  { matter: "Rate-limit headers", choice: "None", rows: ["transport.answers.rate-limits"] },
];

/** What this server adds; docs/extensions.md explains each. */
export const EXTENSIONS: readonly { what: string; seen: string }[] = [
  { what: "`Idempotency-Key` on every POST", seen: "the answer of a repeated request is that of the first" },
  { what: "`GET …/runs/{run_id}/events`, `Last-Event-ID`", seen: "frames with `id:`" },
  { what: "`expires_after_seconds` on runs", seen: "`expires_at` of the run" },
  { what: "`data:` URLs of images", seen: "the message as it is read" },
  { what: "`/openapi.json`, `/openapi-v1.json`, `/docs`", seen: "open them" },
  { what: "`/healthz`, `/readyz`", seen: '`{"status":"ok"}`' },
];
