-- What was done under an Idempotency-Key, written by the transaction that did it.
create table idempotency_keys (
  project_id text not null references projects (id) on delete cascade,
  key text not null,
  -- SHA-256 of what was asked for.
  fingerprint bytea not null,
  -- What the work gave back, from which the answer is made again. Null only inside the transaction that does the work.
  result json,
  created_at timestamptz not null default now(),
  primary key (project_id, key)
);
create index idempotency_keys_by_age on idempotency_keys (created_at);
