// Every limit of the system by name. Plain constants: workflows import this file, so it imports nothing.

/** Largest JSON request body, in bytes. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024;
/** How long a request may take to arrive. */
export const REQUEST_TIMEOUT_MS = 120_000;
/** How long one that brings a file may take. */
export const UPLOAD_TIMEOUT_MS = 3_600_000;
/** Deepest nesting of a JSON Schema that a client may store. */
export const MAX_SCHEMA_DEPTH = 64;

/** Longest piece of a client's own words that an error message repeats, in characters. */
export const MAX_QUOTE_LENGTH = 256;
/** Most ids that an error message repeats. */
export const MAX_QUOTED_IDS = 10;
/** Largest number that Postgres holds in an integer column. */
export const MAX_INTEGER = 2_147_483_647;

export const MAX_PAGE_SIZE = 100;
export const DEFAULT_PAGE_SIZE = 20;

export const MAX_METADATA_PAIRS = 16;
export const MAX_METADATA_KEY_LENGTH = 64;
export const MAX_METADATA_VALUE_LENGTH = 512;

export const MAX_NAME_LENGTH = 256;
export const MAX_DESCRIPTION_LENGTH = 512;
export const MAX_INSTRUCTIONS_LENGTH = 256_000;
export const MAX_MODEL_NAME_LENGTH = 256;
export const MAX_TOOLS = 128;
export const MAX_FUNCTION_NAME_LENGTH = 64;
export const MAX_FUNCTION_DESCRIPTION_LENGTH = 4096;
export const MAX_RESOURCE_FILES = 20;
export const MAX_RESOURCE_STORES = 1;
export const MAX_HELPER_STORE_FILES = 10_000;
export const MAX_SEARCH_RESULTS = 50;
export const DEFAULT_SEARCH_RESULTS = 10;
export const MIN_CHUNK_TOKENS = 100;
export const MAX_CHUNK_TOKENS = 4096;
export const DEFAULT_CHUNK_TOKENS = 800;
export const DEFAULT_CHUNK_OVERLAP_TOKENS = 400;

/** Files that one vector store holds. */
export const MAX_STORE_FILES = 10_000;
export const MAX_STORE_FILES_ON_CREATION = 500;
/** Files that are added in one batch. */
export const MAX_BATCH_FILES = 2000;
export const MAX_STORE_LIFETIME_DAYS = 365;
/** Lifetime of a store that is made for a thread. */
export const THREAD_STORE_DAYS = 7;
/** How often the use of a store is noted. */
export const STORE_ACTIVITY_MS = 1000;

export const MAX_CONTENT_LENGTH = 256_000;
export const MAX_CONTENT_PARTS = 256;
export const MAX_ATTACHMENTS = 20;
/** Files that a message of version 1 may carry. */
export const MAX_V1_MESSAGE_FILES = 10;
export const MAX_MESSAGES_PER_REQUEST = 512;
export const MAX_MESSAGES_PER_THREAD = 100_000;

// --- files -------------------------------------------------------------------------------------

/** Largest file that comes in one request, in bytes: 512 MB. */
export const MAX_FILE_BYTES = 512 * 1024 * 1024;
/** Largest file that comes in parts, in bytes: 8 GB. */
export const MAX_UPLOAD_BYTES = 8 * 1024 * 1024 * 1024;
/** Largest of those parts, in bytes: 64 MB. */
export const MAX_UPLOAD_PART_BYTES = 64 * 1024 * 1024;
/** Parts of one file. */
export const MAX_UPLOAD_PARTS = 10_000;
/** How long an upload may take from its first request to its last, in seconds. */
export const UPLOAD_SECONDS = 3600;
/** What is left of an upload is removed this long after its time, so that one that is just being completed is let be. */
export const UPLOAD_GRACE_SECONDS = 3600;
/** Fields of a form beside the file, and the length of each, in bytes. */
export const MAX_FORM_FIELDS = 16;
export const MAX_FORM_FIELD_BYTES = 4096;
export const MAX_FILENAME_LENGTH = 512;
export const MAX_MIME_TYPE_LENGTH = 256;
/** Life that a client may give a file, in seconds: an hour to 30 days. */
export const MIN_FILE_LIFETIME_SECONDS = 3600;
export const MAX_FILE_LIFETIME_SECONDS = 30 * 24 * 3600;
export const MAX_FILES_PAGE_SIZE = 10_000;
/** Files with their references that one transaction deletes. */
export const FILE_BATCH = 20;
/** A blob of this age that no row names was left behind: far longer than a request may take from its first byte to its row. */
export const ORPHAN_AFTER_MS = 24 * 3600_000;
/** How often the janitor looks for such blobs. It reads the list of all of them. */
export const ORPHAN_SEARCH_INTERVAL_MS = 6 * 3600_000;

/** Rows that `GET /models` answers at the most. */
export const MAX_MODELS = 1000;
/** How long an API process trusts an API key without asking the database: a revoked key dies within this time. */
export const API_KEY_CACHE_MS = 10_000;
export const MAX_CACHED_API_KEYS = 1000;

export const MIN_TOKEN_BUDGET = 256;
/** How long an Idempotency-Key stands for its first request: 24 hours. */
export const IDEMPOTENCY_KEY_SECONDS = 24 * 3600;
export const MAX_IDEMPOTENCY_KEY_LENGTH = 255;

/** Longest single tool output, in characters. */
export const MAX_TOOL_OUTPUT_LENGTH = 1_048_576;
/** All tool outputs of one submission together, in bytes of UTF-8. */
export const MAX_TOOL_OUTPUTS_BYTES = 512 * 1024;
/** Parallel calls that one model turn may make; further ones fail the run. */
export const MAX_TOOL_CALLS_PER_TURN = 128;
/** Model turns of one run, so that a model that never stops calling tools ends. */
export const MAX_TURNS_PER_RUN = 1000;

/** Longest lifetime that a run may ask for, in seconds: 30 days. */
export const MAX_RUN_LIFETIME_SECONDS = 30 * 24 * 3600;

// --- streaming ---------------------------------------------------------------------------------

/** Shortest pause between two flushes of deltas by one worker process. The first delta of a burst does not wait. */
export const DELTA_FLUSH_MS = 25;
/** How often a worker asks for the status of runs that stream nothing, so that a cancel is seen. */
export const STATUS_POLL_MS = 400;
/** Postgres accepts 8,000 bytes in a NOTIFY payload; room is left for the framing. */
export const MAX_NOTICE_BYTES = 7500;
/** How often an API process looks for events whose notice was lost. */
export const EVENT_POLL_MS = 1000;
/** Events that wait in memory for one reader; beyond it the reader goes back to the table. */
export const MAX_QUEUED_EVENTS = 64;
/** Rows that one catch-up read of events takes. */
export const EVENT_BATCH = 64;
/** Longest text, in characters, that deltas are joined to. It bounds what a reader that is behind holds in memory. */
export const MAX_JOINED_DELTA_LENGTH = 4000;
/** Pause between two keep-alive comments on a silent stream. */
export const KEEP_ALIVE_MS = 15_000;

/** What pollers are told to wait between two looks at a run. */
export const POLL_AFTER_MS = 500;

// --- search ------------------------------------------------------------------------------------

/** Levels of `and` and `or` in a search filter, comparisons among them included. */
export const MAX_FILTER_DEPTH = 6;
/** Comparisons in one search filter. */
export const MAX_FILTER_COMPARISONS = 100;
/** Values that `in` and `nin` may list. */
export const MAX_FILTER_VALUES = 200;
/** Queries of one search; further ones are not looked at. */
export const MAX_SEARCH_QUERIES = 10;
/** Longest query, in characters, that is looked at; the rest of it is not. */
export const MAX_QUERY_LENGTH = 8000;
/** Different words of one query that are looked for. */
export const MAX_QUERY_WORDS = 48;
/** Chunks that each half of a search, words and vectors, hands to the fusion for one query. */
export const SEARCH_CANDIDATES = 100;
/** Chunks chosen by a coarse look whose exact rank is then worked out: by words, and by vectors. */
export const WORD_CANDIDATES = 200;
export const VECTOR_CANDIDATES = 1000;
/** Up to so many chunks the search compares all vectors, even where there is an index: the answer is exact, and as fast. */
export const MAX_SCANNED_CHUNKS = 20_000;
/** How long a process believes what it has seen of vector indexes. */
export const VECTOR_INDEX_CACHE_MS = 30_000;

// --- File Search in a run ----------------------------------------------------------------------

/** Chunks that one call may find, and their tokens; for gpt-3.5-turbo, whose window is small, less of both. */
export const MAX_PASSAGES = 20;
export const MAX_PASSAGE_TOKENS = 16_000;
export const MAX_PASSAGES_SMALL = 5;
export const MAX_PASSAGE_TOKENS_SMALL = 4000;
/** Part of a model's window that what one call finds may take. */
export const PASSAGES_SHARE = 0.25;
/** How long after its creation a run waits for files of its thread's store that are still being made searchable. */
export const FILES_WAIT_MS = 60_000;
/** Pause between two looks at them: short at first, since most files are small. */
export const FILES_LOOK_MIN_MS = 250;
export const FILES_LOOK_MAX_MS = 1000;
/** Longest name of a file in the marker of a citation, in characters; a longer one is cut. */
export const MAX_CITED_NAME_LENGTH = 120;
/** Longest name that is looked for in a marker: a model may write it differently. */
export const MAX_MARKER_NAME_LENGTH = 300;
/** Longest quote of a citation in version 1, in characters. */
export const MAX_CITATION_QUOTE_LENGTH = 1000;

// --- embeddings and re-ranking -----------------------------------------------------------------

/** Texts, and tokens of all of them together, in one request to the embedding endpoint. */
export const MAX_EMBEDDING_BATCH = 256;
export const MAX_EMBEDDING_BATCH_TOKENS = 100_000;
/** Tokens of one text that are embedded; the rest of a longer one is not looked at. OpenAI's models take 8,191. */
export const MAX_EMBEDDED_TOKENS = 8000;
/** Time that one request for embeddings, or for a rerank, may take. */
export const EMBEDDING_TIMEOUT_MS = 60_000;
export const RERANK_TIMEOUT_MS = 10_000;
/** Tokens that a model may use to rewrite a query. */
export const MAX_REWRITTEN_QUERY_TOKENS = 500;
/** How long a search waits for its queries to be rewritten; after that it is made with them as they are. */
export const REWRITE_TIMEOUT_MS = 10_000;
/** Chunks that a search hands to the rerank endpoint. */
export const MAX_RERANKED_CHUNKS = 50;

// --- model calls -------------------------------------------------------------------------------

/** Time without any byte from the model after which a call counts as hung. */
export const MODEL_IDLE_TIMEOUT_MS = 120_000;
/** Tries of one turn when the model answers with 5xx, garbage or a cut stream, or kills its worker. 429 does not count. */
export const MAX_TURN_TRIES = 6;
/** Tries of a turn that died with their worker after which it may have killed them: it is made apart from others like it. */
export const SUSPECT_AFTER_DEATHS = 2;
/** How long such a turn waits when its worker has another one in hand. */
export const SUSPECT_WAIT_MS = 1000;
export const MODEL_RETRY_MIN_MS = 500;
export const MODEL_RETRY_MAX_MS = 30_000;
/** Longest Retry-After that is obeyed to the letter; longer ones are cut to this. */
export const MAX_RETRY_AFTER_MS = 10 * 60_000;
/** Tries of a call of a built-in tool that may have been its fault; then the model is told that it failed. */
export const MAX_TOOL_CALL_TRIES = 4;
/** Longest time that one try of a search may take. */
export const FILE_SEARCH_TIMEOUT_MS = 120_000;
/** Longest time that one try of a call of Code Interpreter may take, with the files that it brings in and keeps. */
export const CODE_CALL_TIMEOUT_MS = 15 * 60_000;
/** How long a call waits for the worker that has the thread's session, before another worker begins a new one. */
export const CODE_OWNER_WAIT_MS = 5000;
/** How long a call waits that has found all places for code taken: at first, and after a while. */
export const TOOL_BUSY_MIN_MS = 250;
export const TOOL_BUSY_MAX_MS = 2000;
/** How long what code puts out is gathered before it is shown while the code works on: at first, and after a while. */
export const CODE_SHOW_MIN_MS = 250;
export const CODE_SHOW_MAX_MS = 2000;
/** Longest text, in characters, that the outputs of one call show; and that the model is told of them. */
export const MAX_CODE_LOGS_LENGTH = 256 * 1024;
export const MAX_CODE_TOLD_LENGTH = 32_000;
/** Files that are kept of what the code of one thread has written, and the largest one. */
export const MAX_CODE_FILES = 200;
export const MAX_CODE_FILE_BYTES = 256 * 1024 ** 2;
/** Files of the workspace that the model is told of. */
export const MAX_CODE_FILES_TOLD = 60;
/** Longest text, in characters, that one turn may produce. */
export const MAX_TURN_TEXT_LENGTH = 4_000_000;
/** Rows read at a time while a context is filled from the newest message backwards. */
export const CONTEXT_BATCH = 200;
/** Messages that a context holds at the most, whatever the window. */
export const MAX_CONTEXT_MESSAGES = 10_000;

// --- ingestion ---------------------------------------------------------------------------------

/** Chunks that are written in one transaction while a file's text is read. */
export const EXTRACT_BATCH = 200;
/** Chunks that are embedded, and written, at a time: what a try that dies has done for nothing. */
export const EMBED_BATCH = 100;
/** Chunks after which a file gives its place to the next one, and its workflow tells how far it is. */
export const EMBED_SLICE = 1000;
/** Tries of one step of ingestion that die with their worker, since the file last came forward. */
export const MAX_INGEST_TRIES = 5;
/** The same for tries in which the embedding endpoint fails. A 429 does not count. */
export const MAX_INGEST_FAILURES = 10;
export const INGEST_RETRY_MIN_MS = 500;
export const INGEST_RETRY_MAX_MS = 60_000;
/** Longest that a step may take: reading all of a file, or embedding one slice. */
export const INGEST_STEP_TIMEOUT_MS = 3_600_000;
/** Pause between two attempts to tell the database that a try was not the file's fault. */
export const FORGIVE_RETRY_MS = 1000;
/** Workflows of files that one API process starts or cancels at the same time. */
export const MAX_INGEST_NUDGES = 20;
/** Cancels of such workflows that wait in one API process; beyond it the workflows find out by themselves. */
export const MAX_QUEUED_INGEST_CANCELS = 20_000;
/** Files that are in no store any more whose chunks are looked for at a time, and chunks that are removed at a time. */
export const DROPPED_ENTRIES_BATCH = 100;
export const DROPPED_CHUNKS_BATCH = 2000;
/** Files that the janitor takes out of expired stores at a time. */
export const EXPIRED_FILES_BATCH = 20;

// --- images -------------------------------------------------------------------------------------

/** A stored image that is shown to a model. */
export const MAX_IMAGE_BYTES = 20 * 2 ** 20;
/** All of them in one turn, the newest first. */
export const MAX_TURN_IMAGE_BYTES = 32 * 2 ** 20;
export const MAX_TURN_IMAGES = 100;
/** Of all turns of a worker process at once; in memory each takes up to four times its size. */
export const MAX_HELD_IMAGE_BYTES = 128 * 2 ** 20;

// --- metrics ------------------------------------------------------------------------------------

/** How long an answer of the database is used again, so that many scrapers ask it no more than one. */
export const CURRENT_WORK_CACHE_MS = 5000;
/** The same for what takes a look at all files in stores. */
export const STORED_FILES_CACHE_MS = 60_000;
export const METRICS_STATEMENT_TIMEOUT_MS = 5000;
/** Runs that ended within this time are counted. */
export const RECENTLY_ENDED_MS = 60_000;

// --- durability --------------------------------------------------------------------------------

/** A queued or cancelling run that nothing happened to for this long is looked at by the sweep. */
export const SWEEP_AFTER_MS = 5000;
/** A run in progress whose workflow is checked by the sweep. */
export const SWEEP_IN_PROGRESS_AFTER_MS = 60_000;
/** A run that waits for outputs: seldom, since there may be ten thousand of them, but its workflow may be gone. */
export const SWEEP_WAITING_AFTER_MS = 3_600_000;
export const SWEEP_INTERVAL_MS = 1000;
export const SWEEP_BATCH = 100;
/** Longest pause between two looks of the sweep at the same run. */
export const SWEEP_MAX_BACKOFF_MS = 5 * 60_000;
/** Workflow starts and signals that one API process has under way; beyond it the sweep takes over. */
export const MAX_PENDING_NUDGES = 500;
export const NUDGE_TIMEOUT_MS = 5000;
/** A worker that stays silent for this long is taken for dead, and its turn is tried elsewhere. */
export const HEARTBEAT_TIMEOUT_MS = 6000;
export const HEARTBEAT_INTERVAL_MS = 1000;
/** How long a stopping process lets its work finish. */
export const DRAIN_MS = 20_000;
/** Events of a finished run are kept for this long, so that streams can be re-joined. */
export const EVENT_RETENTION_MS = 24 * 3600_000;
/** How often the janitor removes what has had its time, and closes workflows that nobody needs. */
export const JANITOR_INTERVAL_MS = 10 * 60_000;
/** How long after the end of its run the janitor finds a workflow abandoned. */
export const ABANDONED_AFTER_MS = 60_000;
export const JANITOR_BATCH = 1000;

// --- documents ---------------------------------------------------------------------------------

/** Largest file whose text is extracted for File Search. */
export const MAX_DOCUMENT_BYTES = 512 * 1024 * 1024;
/** Longest text of a file that File Search takes, in tokens. */
export const MAX_DOCUMENT_TOKENS = 5_000_000;
/** Longest chunk in UTF-16 units, whatever its tokens: of some texts (rules of `====`, deep indents) a token holds a lot. */
export const MAX_CHUNK_LENGTH = 65_536;
/** Memory of the process that parses one document: what JavaScript holds, and everything together, on Linux. */
export const PARSER_HEAP_MIB = 1024;
export const PARSER_MEMORY_MIB = 2560;
/** CPU time of that process, and how long its next chunk is waited for; the time that the reader takes does not count. */
export const PARSER_CPU_SECONDS = 300;
export const PARSER_WAIT_MS = 15 * 60_000;
/** Texts of up to so many bytes are read by processes that go on to the next one. */
export const MAX_SHARED_TEXT_BYTES = 2 ** 20;
/** Such a process is replaced after so many files. */
export const TEXT_PARSER_FILES = 100;
/** Those that are kept while they have nothing to do, and for how long. */
export const MAX_IDLE_TEXT_PARSERS = 2;
export const TEXT_PARSER_IDLE_MS = 60_000;
/** Entries of an Office file, and what those that are read may inflate to. */
export const MAX_ARCHIVE_ENTRIES = 20_000;
export const MAX_ARCHIVE_BYTES = 512 * 1024 * 1024;
/** Open elements at one place of HTML or of a slide. */
export const MAX_MARKUP_DEPTH = 10_000;
/** Text items on one page of a PDF. */
export const MAX_PAGE_ITEMS = 200_000;

// --- code interpreter --------------------------------------------------------------------------

/** Memory of one session, beside libraries that sessions share: what Python and its libraries may reserve, in bytes. */
export const SANDBOX_MEMORY_BYTES = 1024 * 1024 * 1024;
/** Files of one session, all together and each of them, in bytes. They are in memory where namespaces work. */
export const SANDBOX_DISK_BYTES = 512 * 1024 * 1024;
/** Files and folders of one session. */
export const SANDBOX_MAX_FILES = 2000;
export const SANDBOX_THREADS = 64;
/** How long one cell may run, and the CPU time of all its threads. */
export const SANDBOX_CELL_TIMEOUT_MS = 120_000;
export const SANDBOX_CELL_CPU_SECONDS = 120;
/** What a container of a session takes beside that: Python, its libraries and gVisor's kernel, in bytes; its processes and threads. */
export const SANDBOX_CONTAINER_BYTES = 512 * 1024 * 1024;
export const SANDBOX_CONTAINER_TASKS = 512;
/** What is kept of what one cell prints, in bytes of UTF-8; the rest is counted. */
export const SANDBOX_OUTPUT_BYTES = 1_000_000;
/** Pictures of one cell, and all of them together in bytes. */
export const SANDBOX_IMAGES = 20;
export const SANDBOX_IMAGE_BYTES = 20 * 1024 * 1024;
/** How long a cell that is told to stop may take for it before its session is killed. */
export const SANDBOX_STOP_MS = 1000;
/** A session that nobody has used for this long is ended. */
export const SANDBOX_IDLE_MS = 3_600_000;
/** Sessions that one process may ever hold: each may have a user of its own. */
export const MAX_SANDBOX_SESSIONS = 100;
/** How long the libraries may take to load, a session to begin, and a file to go into one or out of it. */
export const SANDBOX_START_MS = 120_000;
export const SANDBOX_SESSION_START_MS = 20_000;
export const SANDBOX_TRANSFER_MS = 60_000;
/** Longest line that a session may say to the server, in bytes. */
export const MAX_SANDBOX_LINE_BYTES = 512 * 1024;
/** Longest name of a file in a session, and longest path to one, in bytes of UTF-8. */
export const MAX_SANDBOX_NAME_BYTES = 255;
export const MAX_SANDBOX_PATH_BYTES = 1000;
