// Every endpoint that OpenAI's Assistants API had, and the parts of the API that it was used with.

export interface Endpoint {
  method: "GET" | "POST" | "DELETE";
  /** Below /v1. */
  path: string;
  /** The versions of the API in which it existed. */
  versions: readonly ("v1" | "v2")[];
}

const ASSISTANT_FILES = "/assistants/{assistant_id}/files";
const MESSAGES = "/threads/{thread_id}/messages";
const RUNS = "/threads/{thread_id}/runs";
const STORES = "/vector_stores";
const STORE = `${STORES}/{vector_store_id}`;

const both = ["v1", "v2"] as const;
const v1 = ["v1"] as const;
const v2 = ["v2"] as const;

/** In the order of the API reference. */
export const ENDPOINTS: readonly Endpoint[] = [
  { method: "GET", path: "/assistants", versions: both },
  { method: "POST", path: "/assistants", versions: both },
  { method: "GET", path: "/assistants/{assistant_id}", versions: both },
  { method: "POST", path: "/assistants/{assistant_id}", versions: both },
  { method: "DELETE", path: "/assistants/{assistant_id}", versions: both },
  { method: "GET", path: ASSISTANT_FILES, versions: v1 },
  { method: "POST", path: ASSISTANT_FILES, versions: v1 },
  { method: "GET", path: `${ASSISTANT_FILES}/{file_id}`, versions: v1 },
  { method: "DELETE", path: `${ASSISTANT_FILES}/{file_id}`, versions: v1 },
  { method: "POST", path: "/threads", versions: both },
  { method: "GET", path: "/threads/{thread_id}", versions: both },
  { method: "POST", path: "/threads/{thread_id}", versions: both },
  { method: "DELETE", path: "/threads/{thread_id}", versions: both },
  { method: "GET", path: MESSAGES, versions: both },
  { method: "POST", path: MESSAGES, versions: both },
  { method: "GET", path: `${MESSAGES}/{message_id}`, versions: both },
  { method: "POST", path: `${MESSAGES}/{message_id}`, versions: both },
  { method: "DELETE", path: `${MESSAGES}/{message_id}`, versions: v2 },
  { method: "GET", path: `${MESSAGES}/{message_id}/files`, versions: v1 },
  { method: "GET", path: `${MESSAGES}/{message_id}/files/{file_id}`, versions: v1 },
  { method: "POST", path: "/threads/runs", versions: both },
  { method: "GET", path: RUNS, versions: both },
  { method: "POST", path: RUNS, versions: both },
  { method: "GET", path: `${RUNS}/{run_id}`, versions: both },
  { method: "POST", path: `${RUNS}/{run_id}`, versions: both },
  { method: "POST", path: `${RUNS}/{run_id}/cancel`, versions: both },
  { method: "POST", path: `${RUNS}/{run_id}/submit_tool_outputs`, versions: both },
  { method: "GET", path: `${RUNS}/{run_id}/steps`, versions: both },
  { method: "GET", path: `${RUNS}/{run_id}/steps/{step_id}`, versions: both },
  { method: "GET", path: "/models", versions: both },
  { method: "GET", path: "/models/{model}", versions: both },
  { method: "GET", path: "/files", versions: both },
  { method: "POST", path: "/files", versions: both },
  { method: "GET", path: "/files/{file_id}", versions: both },
  { method: "DELETE", path: "/files/{file_id}", versions: both },
  { method: "GET", path: "/files/{file_id}/content", versions: both },
  { method: "POST", path: "/uploads", versions: v2 },
  { method: "POST", path: "/uploads/{upload_id}/parts", versions: v2 },
  { method: "POST", path: "/uploads/{upload_id}/complete", versions: v2 },
  { method: "POST", path: "/uploads/{upload_id}/cancel", versions: v2 },
  { method: "GET", path: STORES, versions: v2 },
  { method: "POST", path: STORES, versions: v2 },
  { method: "GET", path: STORE, versions: v2 },
  { method: "POST", path: STORE, versions: v2 },
  { method: "DELETE", path: STORE, versions: v2 },
  { method: "POST", path: `${STORE}/search`, versions: v2 },
  { method: "GET", path: `${STORE}/files`, versions: v2 },
  { method: "POST", path: `${STORE}/files`, versions: v2 },
  { method: "GET", path: `${STORE}/files/{file_id}`, versions: v2 },
  { method: "POST", path: `${STORE}/files/{file_id}`, versions: v2 },
  { method: "DELETE", path: `${STORE}/files/{file_id}`, versions: v2 },
  { method: "GET", path: `${STORE}/files/{file_id}/content`, versions: v2 },
  { method: "POST", path: `${STORE}/file_batches`, versions: v2 },
  { method: "GET", path: `${STORE}/file_batches/{batch_id}`, versions: v2 },
  { method: "POST", path: `${STORE}/file_batches/{batch_id}/cancel`, versions: v2 },
  { method: "GET", path: `${STORE}/file_batches/{batch_id}/files`, versions: v2 },
];

/** The parts of the API that may be missing, by the beginning of their paths, until they are built. */
export const PARTS_TO_COME: readonly string[] = [];
