// Lists over HTTP against a plain model of them: any page of any list, and walks through lists that change meanwhile,
// made as the SDKs make them. That pages of a list that stands still add up is in db/page.test.ts.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import fc from "fast-check";
import OpenAI from "openai";
import OpenAIv4 from "openai-v4";
import { newId } from "../../contract/ids.ts";
import { startTestApp } from "../support/app.ts";
import type { Answer, ErrorBody, List, TestApp } from "../support/app.ts";
import { holdsForAll } from "../support/property.ts";

interface Item {
  id: string;
  created_at: number;
}
type Order = "asc" | "desc";
/** What a list is asked for. Cursors are items' positions, oldest first; undefined leaves a parameter out. */
interface Query {
  limit: number | undefined;
  order: Order | undefined;
  after: number | undefined;
  before: number | undefined;
}

/** One list of the API: a new one for each case, with others around it. */
interface ListKind {
  /** Makes an empty list. */
  make(): Promise<{ path: string; scope: Scope }>;
  /** Adds items at the end, `seconds` after the beginning of time each. */
  add(scope: Scope, seconds: readonly number[]): Promise<Item[]>;
  /** Deletes one; only where the API can. */
  remove?(scope: Scope, id: string): Promise<void>;
  /** The list as the SDKs walk through it. */
  walk(client: OpenAI, scope: Scope, query: object): Promise<{ iterPages(): AsyncIterable<SdkPage> }>;
}
interface Scope {
  thread_id: string;
  run_id: string;
}

const T0 = 1_700_000_000;
const DEFAULT_LIMIT = 20;
/** As it comes with `run_id` in messages that a run has written. */
const NOBODY = "run_ofnobody000000000000000";

let app: TestApp;
let project: string;
before(async () => {
  app = await startTestApp();
  project = await projectOf("alice");
});
after(() => app.stop());

async function projectOf(name: string): Promise<string> {
  const { rows } = await app.db.query<{ id: string }>("select id from projects where name = $1", [name]);
  return rows[0]?.id ?? "";
}

async function makeThread(): Promise<string> {
  const { body } = await app.call<{ id: string }>("POST", "/v1/threads", { body: {} });
  return body.id;
}

/** Inserts rows in their order, each between two of another list of the same kind. */
async function insert(
  prefix: "asst_" | "msg_" | "run_" | "step_",
  seconds: readonly number[],
  statement: string,
  values: unknown[],
): Promise<Item[]> {
  const items = seconds.map((second) => ({ id: newId(prefix), created_at: T0 + second }));
  await app.db.query(
    `with item as (
       select * from unnest($1::text[], $2::integer[]) with ordinality as i (id, created_at, position)
     ), both_lists as (
       select case when mine then id else translate(id, '_', '-') end as id, to_timestamp(created_at) as created_at,
         position, mine from item, unnest(array[true, false]) as mine
     ) ${statement} from both_lists order by position, mine`,
    [items.map(({ id }) => id), items.map(({ created_at }) => created_at), ...values],
  );
  return items;
}

const assistants: ListKind = {
  async make() {
    await app.db.query("delete from assistants");
    return { path: "/v1/assistants", scope: { thread_id: "", run_id: "" } };
  },
  async add(_scope, seconds) {
    return insert(
      "asst_",
      seconds,
      `insert into assistants (id, created_at, project_id, model, tools, tool_resources, metadata, temperature, top_p,
         response_format)
       select id, created_at, case when mine then $3 else $4 end, 'm', '[]', '{}', '{}', 1, 1, '"auto"'`,
      [project, await projectOf("bob")],
    );
  },
  async remove(_scope, id) {
    assert.equal((await app.call("DELETE", `/v1/assistants/${id}`)).status, 200);
  },
  walk: (client, _scope, query) => client.beta.assistants.list(query),
};

async function addMessages(of: { thread_id: string; run_id: string | null }, seconds: readonly number[]) {
  const another = await makeThread();
  return insert(
    "msg_",
    seconds,
    `insert into messages (id, created_at, project_id, thread_id, run_id, role, status, content, attachments, metadata,
       tokens)
     select id, created_at, $3, case when mine or $5::text is not null then $4 else $6 end,
       case when mine then $5 else $7 end, 'assistant', 'completed', '[]', '[]', '{}', 0`,
    [project, of.thread_id, of.run_id, another, NOBODY],
  );
}

async function removeMessage({ thread_id }: Scope, id: string): Promise<void> {
  assert.equal((await app.call("DELETE", `/v1/threads/${thread_id}/messages/${id}`)).status, 200);
}

const messages: ListKind = {
  async make() {
    const thread_id = await makeThread();
    return { path: `/v1/threads/${thread_id}/messages`, scope: { thread_id, run_id: "" } };
  },
  add: ({ thread_id }, seconds) => addMessages({ thread_id, run_id: null }, seconds),
  remove: removeMessage,
  walk: (client, { thread_id }, query) => client.beta.threads.messages.list(thread_id, query),
};

const messagesOfRun: ListKind = {
  async make() {
    const scope = { thread_id: await makeThread(), run_id: newId("run_") };
    return { path: `/v1/threads/${scope.thread_id}/messages?run_id=${scope.run_id}`, scope };
  },
  add: addMessages,
  remove: removeMessage,
  walk: (client, { thread_id, run_id }, query) => client.beta.threads.messages.list(thread_id, { run_id, ...query }),
};

async function addRuns(thread_id: string, seconds: readonly number[]): Promise<Item[]> {
  const another = await makeThread();
  return insert(
    "run_",
    seconds,
    `insert into runs (id, created_at, project_id, thread_id, assistant_id, status, expires_at, model, instructions,
       tools, tool_resources, metadata, temperature, top_p, response_format, tool_choice, parallel_tool_calls,
       truncation_strategy, check_at)
     select id, created_at, $3, case when mine then $4 else $5 end, 'asst_', 'completed', created_at, 'm', '',
       '[]', '{}', '{}', 1, 1, '"auto"', '"auto"', true, '{"type":"auto","last_messages":null}', now()`,
    [project, thread_id, another],
  );
}

const runs: ListKind = {
  async make() {
    const thread_id = await makeThread();
    return { path: `/v1/threads/${thread_id}/runs`, scope: { thread_id, run_id: "" } };
  },
  add: ({ thread_id }, seconds) => addRuns(thread_id, seconds),
  walk: (client, { thread_id }, query) => client.beta.threads.runs.list(thread_id, query),
};

const steps: ListKind = {
  async make() {
    const thread_id = await makeThread();
    const [mine, other] = await addRuns(thread_id, [0, 0]);
    assert.ok(mine && other);
    return { path: `/v1/threads/${thread_id}/runs/${mine.id}/steps`, scope: { thread_id, run_id: mine.id } };
  },
  async add({ thread_id, run_id }, seconds) {
    const { rows } = await app.db.query<{ id: string }>("select id from runs where thread_id = $1 and id <> $2", [
      thread_id,
      run_id,
    ]);
    return insert(
      "step_",
      seconds,
      `insert into run_steps (id, created_at, project_id, run_id, thread_id, assistant_id, turn, type, status,
         completed_at, step_details, usage)
       select id, created_at, $3, case when mine then $4 else $5 end, $6, 'asst_', 1, 'tool_calls', 'completed',
         created_at, '{"type":"tool_calls","tool_calls":[]}', null`,
      [project, run_id, rows[0]?.id, thread_id],
    );
  },
  walk: (client, { thread_id, run_id }, query) => client.beta.threads.runs.steps.list(run_id, { thread_id, ...query }),
};

const KINDS = { assistants, messages, "messages of a run": messagesOfRun, runs, steps };

/** The page that a list of these items, oldest first, has to give. */
function pageOf<T extends Item>(items: readonly T[], query: Query): Omit<List<T>, "object"> {
  const position = new Map(items.map((item, index) => [item, index]));
  const ascending = query.order === "asc";
  const between = (ascending ? items : items.toReversed()).filter((item) => {
    const at = position.get(item) as number;
    const isBehind = (cursor: number) => (ascending ? at > cursor : at < cursor);
    const isAhead = (cursor: number) => (ascending ? at < cursor : at > cursor);
    return (
      (query.after === undefined || isBehind(query.after)) && (query.before === undefined || isAhead(query.before))
    );
  });
  const limit = query.limit ?? DEFAULT_LIMIT;
  const backwards = query.before !== undefined && query.after === undefined;
  const data = backwards ? between.slice(-limit) : between.slice(0, limit);
  return {
    data,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: between.length > data.length,
  };
}

async function get(path: string, items: readonly Item[], query: Query): Promise<List<Item>> {
  const { limit, order, after: behind, before: ahead } = query;
  const parameters = Object.entries({
    limit,
    order,
    after: behind === undefined ? undefined : items[behind]?.id,
    before: ahead === undefined ? undefined : items[ahead]?.id,
  }).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
  const separator = path.includes("?") ? "&" : "?";
  const { status, body } = await app.call<List<Item>>("GET", `${path}${separator}${parameters.join("&")}`);
  assert.equal(status, 200, JSON.stringify(body));
  return { ...body, data: body.data.map(({ id, created_at }) => ({ id, created_at })) };
}

/** Seconds at which items were made: they never fall, and many are made in the same one. */
const anySeconds = (maxLength: number) =>
  fc.array(fc.constantFrom(0, 0, 0, 1, 5), { maxLength }).map((steps) => {
    let second = 0;
    return steps.map((step) => (second += step));
  });
const anyOrder = fc.constantFrom<Order>("asc", "desc");
const anyQuery = fc.record({
  limit: fc.option(fc.oneof(fc.integer({ min: 1, max: 6 }), fc.constantFrom(100)), { nil: undefined }),
  order: fc.option(anyOrder, { nil: undefined }),
  after: fc.option(fc.nat(), { nil: undefined }),
  before: fc.option(fc.nat(), { nil: undefined }),
});
/** Cursors that are in a list of so many. */
function fit(query: Query, count: number): Query {
  const into = (cursor: number | undefined) => (cursor === undefined || count === 0 ? undefined : cursor % count);
  return { ...query, after: into(query.after), before: into(query.before) };
}

describe("any page of any list is that of a plain model", () => {
  for (const [name, kind] of Object.entries(KINDS)) {
    test(`of ${name}`, async (t) => {
      const cases = fc.record({ seconds: anySeconds(30), queries: fc.array(anyQuery, { minLength: 4, maxLength: 8 }) });
      await holdsForAll({ test: t, cases: 100 }, cases, async ({ seconds, queries }) => {
        const { path, scope } = await kind.make();
        const items = await kind.add(scope, seconds);
        for (const query of queries.map((each) => fit(each, items.length))) {
          const { object, ...page } = await get(path, items, query);
          assert.equal(object, "list");
          assert.deepEqual(page, pageOf(items, query), JSON.stringify(query));
        }
      });
    });
  }
});

/** What happens to a list between two pages: so many new items, and deletions by position. */
const anyChange = fc.record({
  added: fc.nat({ max: 2 }),
  removed: fc.array(fc.nat(), { maxLength: 3 }),
});
const anyWalk = fc.record({
  seconds: anySeconds(16),
  limit: fc.integer({ min: 1, max: 5 }),
  order: anyOrder,
  changes: fc.array(anyChange, { maxLength: 6 }),
});

/** A list that changes while it is read, and what became of its items. */
class ChangingList {
  readonly kind: ListKind;
  readonly scope: Scope;
  /** All that were ever in it, oldest first. */
  readonly everything: Item[];
  readonly removed = new Set<string>();
  #changes = 0;

  constructor(kind: ListKind, scope: Scope, items: Item[]) {
    this.kind = kind;
    this.scope = scope;
    this.everything = items;
  }

  get alive(): Item[] {
    return this.everything.filter(({ id }) => !this.removed.has(id));
  }

  /** Everything may go but the item that the next page begins at. */
  async change({ added, removed }: { added: number; removed: number[] }, cursor: string): Promise<void> {
    for (const choice of this.kind.remove === undefined ? [] : removed) {
      const candidates = this.alive.filter(({ id }) => id !== cursor);
      const gone = candidates[choice % Math.max(candidates.length, 1)];
      if (gone === undefined) continue;
      await this.kind.remove?.(this.scope, gone.id);
      this.removed.add(gone.id);
    }
    this.#changes += 1;
    const seconds = Array.from({ length: added }, () => 1_000_000 + this.#changes);
    this.everything.push(...(await this.kind.add(this.scope, seconds)));
  }

  /** Each item that was there all the time has come once, no item twice, and all of them in their order. */
  checkWalk(visited: readonly string[], atStart: readonly Item[], order: Order): void {
    assert.equal(new Set(visited).size, visited.length, "nothing comes twice");
    const positions = visited.map((id) => this.everything.findIndex((item) => item.id === id));
    const sorted = positions.toSorted((a, b) => (order === "asc" ? a - b : b - a));
    assert.deepEqual(positions, sorted, "all come in their order");
    const missed = atStart.filter(({ id }) => !this.removed.has(id) && !visited.includes(id));
    assert.deepEqual(missed, [], "nothing is missed");
  }
}

/** The SDKs, with the app in place of the network. */
function openSdks(): OpenAI[] {
  const options = { apiKey: "sk-unused", baseURL: "http://app/v1", maxRetries: 0 };
  const send: typeof fetch = async (url, init) => {
    const { pathname, search } = new URL(url instanceof Request ? url.url : url);
    const { status, body } = await app.call<unknown>((init?.method ?? "GET") as "GET", `${pathname}${search}`);
    return Response.json(body, { status });
  };
  const older = new OpenAIv4({ ...options, fetch: send as never });
  const { steps: listed } = older.beta.threads.runs;
  // Since version 5 the thread's id is in the query.
  const list = (run_id: string, { thread_id, ...query }: { thread_id: string }) =>
    listed.list(thread_id, run_id, query);
  Object.assign(older.beta.threads.runs, { steps: { list } });
  return [new OpenAI({ ...options, fetch: send }), older as unknown as OpenAI];
}

interface SdkPage {
  data: Item[];
  has_more: boolean;
}

describe("a walk through a list that changes", () => {
  for (const [name, kind] of Object.entries(KINDS)) {
    test(`of ${name} by an SDK brings whatever stays exactly once`, async (t) => {
      const sdks = openSdks();
      const cases = fc.tuple(anyWalk, fc.constantFrom(...sdks.keys()));
      await holdsForAll({ test: t, cases: 60 }, cases, async ([{ seconds, limit, order, changes }, generation]) => {
        const { scope } = await kind.make();
        const atStart = await kind.add(scope, seconds);
        const list = new ChangingList(kind, scope, [...atStart]);
        const visited: string[] = [];
        const toCome = [...changes];
        const first = await kind.walk(sdks[generation] as OpenAI, scope, { limit, order });
        for await (const { data, has_more } of first.iterPages()) {
          const cursor = visited.at(-1);
          const behind = list.alive.findIndex(({ id }) => id === cursor);
          const query = { limit, order, after: cursor === undefined ? undefined : behind, before: undefined };
          const expected = pageOf(list.alive, query);
          assert.deepEqual(
            data.map(({ id }) => id),
            expected.data.map(({ id }) => id),
          );
          assert.equal(has_more, expected.has_more);
          visited.push(...data.map(({ id }) => id));
          const change = toCome.shift();
          const last = visited.at(-1);
          if (change !== undefined && last !== undefined) await list.change(change, last);
        }
        list.checkWalk(visited, atStart, order);
      });
    });

    test(`of ${name} backwards by \`before\` brings whatever stays exactly once`, async (t) => {
      await holdsForAll({ test: t, cases: 40 }, anyWalk, async ({ seconds, limit, order, changes }) => {
        const { path, scope } = await kind.make();
        const atStart = await kind.add(scope, [0, ...seconds]);
        const list = new ChangingList(kind, scope, [...atStart]);
        const cursorOf = (id: string | undefined) => list.alive.findIndex((item) => item.id === id);
        const visited = [(order === "asc" ? atStart.at(-1) : atStart[0]) as Item].map(({ id }) => id);
        const toCome = [...changes];
        for (;;) {
          const query = { limit, order, after: undefined, before: cursorOf(visited[0]) };
          const { object: _object, ...page } = await get(path, list.alive, query);
          assert.deepEqual(page, pageOf(list.alive, query));
          visited.unshift(...page.data.map(({ id }) => id));
          if (!page.has_more) break;
          const change = toCome.shift();
          if (change !== undefined) await list.change(change, visited[0] as string);
        }
        list.checkWalk(visited, atStart, order);
      });
    });

    if (kind.remove === undefined) continue;
    test(`of ${name} cannot go on from an item that was deleted`, async () => {
      const { path, scope } = await kind.make();
      const [, gone] = await kind.add(scope, [0, 0, 1]);
      assert.ok(gone);
      await kind.remove?.(scope, gone.id);
      for (const param of ["after", "before"]) {
        const separator = path.includes("?") ? "&" : "?";
        const refused: Answer<ErrorBody> = await app.call("GET", `${path}${separator}${param}=${gone.id}`);
        assert.equal(refused.status, 400);
        assert.partialDeepStrictEqual(refused.body.error, { type: "invalid_request_error", param });
      }
    });
  }
});

test("what clients make is listed in the order in which they made it, however many at a time", async (t) => {
  const batches = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 });
  await holdsForAll({ test: t, cases: 10 }, batches, async ([first = 1, ...others]) => {
    const texts: string[] = [];
    const next = () => {
      texts.push(`message ${texts.length}`);
      return { role: "user", content: texts.at(-1) };
    };
    const create = { messages: Array.from({ length: first }, next) };
    const { body: thread } = await app.call<{ id: string }>("POST", "/v1/threads", { body: create });
    const path = `/v1/threads/${thread.id}/messages`;
    for (const count of others) {
      for (const body of Array.from({ length: count }, next)) {
        assert.equal((await app.call("POST", path, { body })).status, 200);
      }
    }
    type Made = Item & { content: [{ text: { value: string } }] };
    const { body } = await app.call<List<Made>>("GET", `${path}?order=asc&limit=100`);
    assert.deepEqual(
      body.data.map((message) => message.content[0].text.value),
      texts,
    );
    const items = body.data.map(({ id, created_at }) => ({ id, created_at }));
    assert.deepEqual(
      items.map(({ created_at }) => created_at),
      items.map(({ created_at }) => created_at).toSorted((a, b) => a - b),
    );
    const query = { limit: 2, order: undefined, after: items.length - 1, before: undefined };
    const { object: _object, ...page } = await get(path, items, query);
    assert.deepEqual(page, pageOf(items, query));
  });
});
