-- The sandboxed Python of a thread: who has it. What it holds in memory is gone with its worker; its files are kept.
create table code_sessions (
  thread_id text primary key references threads (id) on delete cascade,
  project_id text not null references projects (id),
  -- Another one with every session that begins.
  id text not null,
  -- On which its worker takes calls for it.
  task_queue text not null,
  used_at timestamptz not null
);

-- What code has written to its workspace, as of the end of the thread's newest call.
create table code_files (
  thread_id text not null references threads (id) on delete cascade,
  name text not null,
  project_id text not null references projects (id),
  -- Of the File object that this becomes when an answer links it. Both name the same blob then.
  file_id text not null unique,
  bytes bigint not null,
  sha256 bytea not null,
  blob text not null unique,
  primary key (thread_id, name)
);
