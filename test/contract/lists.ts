// Lists and their pages: the same rows for assistants, messages, runs and run steps.
import assert from "node:assert/strict";
import type { List } from "../support/app.ts";
import { ALL, insertStep, KINDS } from "./filled-lists.ts";
import type { Kind } from "./filled-lists.ts";
import {
  ANY,
  assertRefused,
  badRequest,
  invalid,
  tooBig,
  tooSmall,
  unsupportedInAnyOrder,
  wrongType,
} from "./refusals.ts";
import type { Refusal } from "./refusals.ts";
import { rule } from "./row.ts";
import type { Field, Row } from "./row.ts";
import { newRunIn, runPath } from "./waiting-run.ts";
import { newRun, newThread } from "./world.ts";
import type { Made, World } from "./world.ts";

const ENVELOPE: readonly Field[] = ["object", "data", "first_id", "last_id", "has_more"].map((path) => ({
  schema: "List",
  path,
}));

function rowsOf(kind: Kind): Row<World>[] {
  const filled = (world: World) => world.once(`list of ${kind.name}`, () => kind.fill(world));
  const id = (what: string) => `${kind.name}.list.${what}`;
  const covers = (path: string) => ({
    kind: "request" as const,
    covers: kind.schemas.map((schema) => ({ schema, path })),
  });

  async function page(world: World, query: string): Promise<List<Made>> {
    return world.get<List<Made>>(`${(await filled(world)).path}?${query}`, kind.call);
  }
  /** The positions of the items of a page, the oldest being 0, and whether there are more. */
  async function read(world: World, query: string): Promise<[number[], boolean]> {
    const { ids } = await filled(world);
    const { data, has_more } = await page(world, query);
    return [data.map((item) => ids.indexOf(item.id)), has_more];
  }
  async function refuses(world: World, query: string, refusal: Refusal): Promise<void> {
    assertRefused(await world.call("GET", `${(await filled(world)).path}?${query}`, kind.call), refusal);
  }
  const cursor = async (world: World, position: number) => (await filled(world)).ids[position] as string;

  return [
    rule(
      id("envelope"),
      "0.3",
      "a list names its first and last item and says whether there are more",
      async (world) => {
        const { ids } = await filled(world);
        const { data, ...envelope } = await page(world, "limit=3&order=asc");
        assert.deepEqual(envelope, { object: "list", first_id: ids[0], last_id: ids[2], has_more: true });
        assert.deepEqual(Object.keys(await page(world, "")), ["object", "data", "first_id", "last_id", "has_more"]);
        assert.equal(data.length, 3);
      },
      { kind: "response", covers: ENVELOPE },
    ),
    rule(
      id("empty"),
      "0.3",
      "an empty list has no first and no last item",
      async (world) => {
        const { emptyPath } = await filled(world);
        const empty = { object: "list", data: [], first_id: null, last_id: null, has_more: false };
        assert.deepEqual(await world.get(emptyPath, kind.emptyCall ?? kind.call), empty);
      },
      { kind: "response" },
    ),
    rule(id("newest"), "9", "what was just made is on the first page that nobody asked anything of", async (world) => {
      const { path, id: newest } = await kind.add(world);
      const { data } = await world.get<List<Made>>(path);
      assert.ok(data.some((item) => item.id === newest));
    }),
    rule(
      id("limit"),
      "0.3",
      "limit is an integer from 1 to 100; without it 20",
      async (world) => {
        assert.deepEqual(await read(world, "order=asc"), [ALL.slice(0, 20), true]);
        assert.deepEqual(await read(world, "order=asc&limit=1"), [[0], true]);
        assert.deepEqual(await read(world, "order=asc&limit=24"), [ALL.slice(0, 24), true]);
        assert.deepEqual(await read(world, "order=asc&limit=25"), [ALL, false]);
        assert.deepEqual(await read(world, "order=asc&limit=100"), [ALL, false]);
        await refuses(world, "limit=0", tooSmall("limit", "integer", 1, 0));
        await refuses(world, "limit=-1", tooSmall("limit", "integer", 1, -1));
        await refuses(world, "limit=101", tooBig("limit", "integer", 100, 101));
        await refuses(world, "limit=ten", wrongType("limit", "an integer", "a string"));
        await refuses(world, "limit=1.5", badRequest(/^Invalid /, "limit", ANY));
      },
      covers("limit"),
    ),
    rule(
      id("order"),
      "0.3",
      "order is asc or desc; without it desc",
      async (world) => {
        const newestFirst = ALL.toReversed();
        assert.deepEqual(await read(world, "limit=100"), [newestFirst, false]);
        assert.deepEqual(await read(world, "limit=100&order=desc"), [newestFirst, false]);
        assert.deepEqual(await read(world, "limit=100&order=asc"), [ALL, false]);
        for (const wrong of ["up", "ASC"]) {
          await refuses(world, `order=${wrong}`, unsupportedInAnyOrder("order", wrong, ["asc", "desc"]));
        }
      },
      covers("order"),
    ),
    rule(
      id("after"),
      "0.3",
      "after begins the page behind an item, in the order that is asked for",
      async (world) => {
        const at = async (position: number) => `after=${await cursor(world, position)}`;
        assert.deepEqual(await read(world, `order=asc&limit=3&${await at(4)}`), [[5, 6, 7], true]);
        assert.deepEqual(await read(world, `order=desc&limit=3&${await at(4)}`), [[3, 2, 1], true]);
        assert.deepEqual(await read(world, `order=asc&limit=3&${await at(21)}`), [[22, 23, 24], false]);
        assert.deepEqual(await read(world, `order=desc&limit=4&${await at(4)}`), [[3, 2, 1, 0], false]);
      },
      covers("after"),
    ),
    rule(id("after.last"), "9", "after the last item is an empty page", async (world) => {
      const empty = { object: "list", data: [], first_id: null, last_id: null, has_more: false };
      assert.deepEqual(await page(world, `order=asc&after=${await cursor(world, 24)}`), empty);
      assert.deepEqual(await page(world, `order=desc&after=${await cursor(world, 0)}`), empty);
    }),
    rule(
      id("before"),
      "8 #3",
      "before ends the page in front of an item, with what directly precedes it",
      async (world) => {
        const at = async (position: number) => `before=${await cursor(world, position)}`;
        assert.deepEqual(await read(world, `order=asc&${await at(2)}`), [[0, 1], false]);
        assert.deepEqual(await read(world, `order=desc&${await at(22)}`), [[24, 23], false]);
        assert.deepEqual(await read(world, `order=asc&limit=3&${await at(10)}`), [[7, 8, 9], true]);
        assert.deepEqual(await read(world, `order=desc&limit=3&${await at(10)}`), [[13, 12, 11], true]);
        assert.deepEqual(await read(world, `order=asc&${await at(0)}`), [[], false]);
      },
      covers("before"),
    ),
    rule(
      id("after-and-before"),
      "8 #4",
      "after and before together leave what lies between, from the side of after",
      async (world) => {
        const between = async (after: number, before: number) =>
          `after=${await cursor(world, after)}&before=${await cursor(world, before)}`;
        assert.deepEqual(await read(world, `order=asc&limit=3&${await between(2, 10)}`), [[3, 4, 5], true]);
        assert.deepEqual(await read(world, `order=desc&limit=3&${await between(10, 2)}`), [[9, 8, 7], true]);
        assert.deepEqual(await read(world, `order=asc&${await between(2, 5)}`), [[3, 4], false]);
        assert.deepEqual(await read(world, `order=asc&${await between(2, 3)}`), [[], false]);
        assert.deepEqual(await read(world, `order=asc&${await between(10, 2)}`), [[], false]);
      },
    ),
    rule(
      id("cursor"),
      "8 #5",
      "an id that is not in the list is no cursor, whether it exists elsewhere or not",
      async (world) => {
        const { elsewhere, foreign } = await filled(world);
        for (const param of ["after", "before"]) {
          for (const given of ["msg_unknown", "nonsense", elsewhere, foreign]) {
            await refuses(world, `${param}=${given}`, { ...invalid(param), code: "invalid_value" });
          }
        }
      },
      { kind: "error" },
    ),
    rule(id("pages"), "0.3", "from page to page each item comes once, in both orders", async (world) => {
      for (const order of ["asc", "desc"]) {
        const seen: number[] = [];
        for (let query = `order=${order}&limit=10`; ;) {
          const [positions, more] = await read(world, query);
          seen.push(...positions);
          if (!more) break;
          query = `order=${order}&limit=10&after=${await cursor(world, positions.at(-1) as number)}`;
        }
        assert.deepEqual(seen, order === "asc" ? ALL : ALL.toReversed());
      }
    }),
    rule(id("empty-query"), "0.3", "empty query parameters are no failure of the server", async (world) => {
      for (const param of ["limit", "order", "after", "before"]) {
        const { status } = await world.call("GET", `${(await filled(world)).path}?${param}=`, kind.call);
        assert.ok(status === 200 || status === 400, `${param}: ${status}`);
      }
    }),
    rule(id("unknown-query"), "9", "unknown query parameters are ignored", async (world) => {
      assert.deepEqual(await read(world, "api-version=2024-05-01&x[]=1&limit=2&order=asc"), [[0, 1], true]);
    }),
    rule(id("items"), "1.0", "an item of the list is what is read under its id", async (world) => {
      const { path } = await filled(world);
      const { data } = await page(world, "limit=2");
      for (const item of data) assert.deepEqual(await world.get(`${path}/${item.id}`, kind.call), item);
    }),
  ];
}

const INCLUDE = "step_details.tool_calls[*].file_search.results[*].content";

const others: Row<World>[] = [
  rule(
    "messages.list.run_id",
    "1.3",
    "run_id narrows the list to what that run wrote",
    async (world) => {
      const { id: thread } = await newThread(world, {
        messages: ["a", "b"].map((content) => ({ role: "user", content })),
      });
      const run = await newRun(world, { additional_messages: [{ role: "user", content: "c" }] }, thread);
      const path = `/threads/${thread}/messages`;
      const { data } = await world.get<List<Made>>(path);
      const wrote = data[1] as Made;
      await world.app.db.query("update messages set run_id = $1, role = 'assistant' where id = $2", [run.id, wrote.id]);
      const ofRun = await world.get<List<Made>>(`${path}?run_id=${run.id}`);
      assert.deepEqual([ofRun.data.map(({ id }) => id), ofRun.first_id, ofRun.has_more], [[wrote.id], wrote.id, false]);
      assert.deepEqual((await world.get<List<Made>>(`${path}?run_id=run_unknown`)).data, []);
      const other = await newRun(world);
      assert.deepEqual((await world.get<List<Made>>(`${path}?run_id=${other.id}`)).data, []);
    },
    { kind: "request", covers: [{ schema: "ListMessagesQuery", path: "run_id" }] },
  ),
  rule(
    "run-steps.include",
    "1.0",
    "include[] has one value, alone or more than once",
    async (world) => {
      const run = await newRunIn(world, "completed");
      const { id } = await insertStep(world, run);
      const one = `include[]=${encodeURIComponent(INCLUDE)}`;
      for (const path of [`${runPath(run)}/steps`, `${runPath(run)}/steps/${id}`]) {
        for (const query of [one, `${one}&${one}`]) assert.ok(await world.get(`${path}?${query}`));
        for (const wrong of ["include[]=all", `${one}&include[]=all`]) {
          const { status, body } = await world.call("GET", `${path}?${wrong}`);
          assert.deepEqual([status, body.error.code], [400, "invalid_value"]);
        }
      }
    },
    { kind: "request", covers: [{ schema: "StepsQuery", path: "include[]" }] },
  ),
  rule("threads.list", "8 #50", "threads cannot be listed", async (world) => {
    assertRefused(await world.call("GET", "/threads"), { ...badRequest("Invalid URL (GET /v1/threads)"), status: 404 });
  }),
];

export const listRows: Row<World>[] = [...KINDS.flatMap(rowsOf), ...others];
