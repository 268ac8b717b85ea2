import assert from "node:assert/strict";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { addFile, createSearchDatabases, OTHER_PROJECT, poolOf, PROJECT } from "../test/support/search-databases.ts";
import type { NewFile } from "../test/support/search-databases.ts";
import { DROPPED_CHUNKS_BATCH } from "../contract/limits.ts";
import { insertChunks } from "./chunks.ts";
import { removeDroppedChunks } from "./dropped-chunks.ts";
import type { Pool } from "./pool.ts";
import { searchChunks } from "./search.ts";
import type { Search } from "./search.ts";
import { ensureVectorIndex, forgetVectorIndexes } from "./vector-index.ts";

const databases = await createSearchDatabases();
let stores = 0;

/** A store of its own for each test. */
function newStore(): string {
  return `vs_${(stores += 1)}`;
}

/** A unit vector in the plane, seen from the first axis, with two dimensions that are never used. */
function direction(degrees: number): Float32Array {
  const radians = (degrees * Math.PI) / 180;
  return Float32Array.of(Math.cos(radians), Math.sin(radians), 0, 0);
}

async function addText(pool: Pool, file: NewFile, ...texts: (string | [text: string, degrees: number])[]) {
  const { key, file_id } = await addFile(pool, file);
  const chunks = texts.map((given, index) => {
    const [text, degrees] = typeof given === "string" ? [given, undefined] : given;
    const embedding = degrees === undefined ? null : direction(degrees);
    return { index, text, tokens: text.split(" ").length, embedding };
  });
  await insertChunks(pool, { project_id: file.project ?? PROJECT, vector_store_file_id: key }, chunks);
  return { key, file_id };
}

async function find(pool: Pool, store: string | string[], query: string, search: Partial<Search> = {}) {
  const scope = { project_id: PROJECT, vector_store_ids: [store].flat() };
  return searchChunks(pool, scope, { queries: [{ text: query, embedding: null }], limit: 10, ...search });
}

async function textsFor(pool: Pool, store: string | string[], query: string, search: Partial<Search> = {}) {
  return (await find(pool, store, query, search)).map((hit) => hit.text);
}

for (const database of databases) {
  const check = (name: string, body: (pool: Pool, t: TestContext) => Promise<void>): void => {
    test(`${database.name}: ${name}`, async (t) => {
      const pool = poolOf(database, t);
      if (pool !== undefined) await body(pool, t);
    });
  };

  check("a hit says which file and chunk it is, with the file's attributes", async (pool) => {
    const store = newStore();
    const file = { store, filename: "cats.md", attributes: { kind: "animal", legs: 4 } };
    const { file_id } = await addText(pool, file, "About dogs.", "Cats sleep all day.");
    assert.deepEqual(await find(pool, store, "sleeping cat"), [
      {
        file_id,
        filename: "cats.md",
        attributes: { kind: "animal", legs: 4 },
        score: 1,
        chunk_index: 1,
        text: "Cats sleep all day.",
        tokens: 4,
      },
    ]);
  });

  for (const [query, text] of [
    ["readChunks", "call readChunks() first"],
    ["readchunks", "call readChunks() first"],
    ["chunks", "call readChunks() first"],
    ["chunk", "call readChunks() first"],
    ["snake_case_name", "the variable snake_case_name is set"],
    ["case", "the variable snake_case_name is set"],
    ["a.b.c", "set a.b.c to true"],
    ["b", "set a.b.c to true"],
    ["1.2.3", "since version v1.2.3-beta of it"],
    ["v1.2.3", "since version 1.2.3, it works"],
    ["v1.2.3-beta", "since version v1.2.3-beta of it"],
    ["ERR-1042", "fails with ERR-1042."],
    ["1042", "fails with ERR-1042."],
    ["E1042", "fails with E1042: no disk"],
    ["ERR_INVALID_ARG_TYPE", "TypeError [ERR_INVALID_ARG_TYPE]: no"],
    ["invalid", "TypeError [ERR_INVALID_ARG_TYPE]: no"],
    ["0x80070005", "HRESULT 0x80070005 was returned"],
    ["db/search.ts", "look into db/search.ts, line 4"],
    ["search.ts", "look into db/search.ts, line 4"],
    ["HTTPServer", "class HTTPServer extends"],
    ["server", "class HTTPServer extends"],
    ["C++", "written in C++ mostly"],
    ["std::vector", "a std::vector of them"],
    ["--dry-run", "pass --dry-run to it"],
    ["ingestion", "files are ingested slowly"],
    ["東京", "昨日東京都庁へ行きました"],
    ["都", "昨日東京都庁へ行きました"],
    ["데이터베이스", "데이터베이스를 설치하십시오"],
    ["ธนาคาร", "ผมไปธนาคารทุกวัน"],
    ["सरकार", "भारत की सरकार ने कहा"],
    ["Übergrößenträger", "ein ÜBERGRÖSSENTRÄGER und übergrößenträger"],
    ["ﬁle", "a file with a ligature"],
  ]) {
    check(`${query} finds "${text}"`, async (pool) => {
      const store = newStore();
      await addText(pool, { store }, "Something else altogether.", text as string);
      assert.deepEqual(await textsFor(pool, store, query as string), [text]);
    });
  }

  check("a word of many chunks counts less than a rare one", async (pool) => {
    const store = newStore();
    const common = Array.from({ length: 20 }, (_, index) => `the server and the server, number ${index}`);
    await addText(pool, { store }, ...common, "zebras are rare");
    assert.equal((await textsFor(pool, store, "server zebra"))[0], "zebras are rare");
  });

  check("stop words alone find nothing, and neither do signs, nor an empty query", async (pool) => {
    const store = newStore();
    await addText(pool, { store }, "The and of it all is that.");
    for (const query of ["the", "and of it", "", "   ", "?!", "'", "& | ! ( ) <-> :*", "\\", "\0"]) {
      assert.deepEqual(await textsFor(pool, store, query), [], query);
    }
  });

  check("what would be operators elsewhere are words here", async (pool) => {
    const store = newStore();
    await addText(pool, { store }, "It's a cat & dog: (mouse) | !bird <-> fish:*");
    for (const query of [
      "cat & !dog",
      "'cat",
      "cat:*",
      '"cat dog',
      "-cat",
      "cat OR",
      "cat'; drop table chunks",
      "(cat",
    ]) {
      assert.equal((await textsFor(pool, store, query)).length, 1, query);
    }
  });

  check("a query of a megabyte is looked at as far as its beginning", async (pool) => {
    const store = newStore();
    await addText(pool, { store }, "A needle in the hay.");
    const noise = Array.from({ length: 100_000 }, (_, index) => `w${index}x`).join(" ");
    assert.equal((await textsFor(pool, store, `needle ${noise}`)).length, 1);
    assert.equal((await textsFor(pool, store, `${noise} needle`)).length, 0);
    assert.equal((await textsFor(pool, store, `needle${"x".repeat(1_000_000)}`)).length, 0);
    assert.deepEqual(await textsFor(pool, store, "\ud800 needle"), ["A needle in the hay."]);
  });

  check("words that no index could hold do no harm", async (pool) => {
    const store = newStore();
    const long = [`Z${"\u0301\u0323".repeat(3000)}`, "x".repeat(10_000), "a.".repeat(5000), `${"é".repeat(3000)}_b`];
    await addText(pool, { store }, `${long.join(" ")} needle`);
    for (const word of long) assert.ok((await textsFor(pool, store, `needle ${word}`)).length === 1);
  });

  check("only completed files of the given stores and project are searched", async (pool) => {
    const [mine, second, foreign] = [newStore(), newStore(), newStore()];
    await addText(pool, { store: mine }, ["cat of mine", 0]);
    for (const status of ["in_progress", "failed", "cancelled"] as const) {
      await addText(pool, { store: mine, status }, [`cat ${status}`, 0]);
    }
    await addText(pool, { store: second }, ["cat of the second", 0]);
    await addText(pool, { store: foreign, project: OTHER_PROJECT }, ["cat of others", 0]);
    const queries = [{ text: "cat", embedding: direction(0) }];
    assert.deepEqual(await textsFor(pool, mine, "", { queries }), ["cat of mine"]);
    assert.deepEqual((await textsFor(pool, [mine, second], "", { queries })).toSorted(), [
      "cat of mine",
      "cat of the second",
    ]);
    assert.deepEqual(await textsFor(pool, [foreign], "", { queries }), []);
    assert.deepEqual(await textsFor(pool, [], "", { queries }), []);
  });

  check("a text that names another store is not found there", async (pool) => {
    const [mine, other] = [newStore(), newStore()];
    await addText(pool, { store: mine }, `=${other} ${other} cat`);
    assert.deepEqual(await textsFor(pool, other, "cat"), []);
  });

  check("filters hold for words and for vectors", async (pool) => {
    const store = newStore();
    await addText(pool, { store, attributes: { year: 2020 } }, ["old cat", 0]);
    await addText(pool, { store, attributes: { year: 2024 } }, ["new cat", 10]);
    const search: Partial<Search> = {
      queries: [{ text: "cat", embedding: direction(0) }],
      filters: { type: "gte", key: "year", value: 2024 },
    };
    assert.deepEqual(await textsFor(pool, store, "", search), ["new cat"]);
    for (const only of ["words", "vectors"] as const) {
      assert.deepEqual(await textsFor(pool, store, "", { ...search, only }), ["new cat"]);
    }
  });

  check("vectors find what words do not, and the nearest comes first", async (pool) => {
    const store = newStore();
    await addText(pool, { store }, ["far", 80], ["near", 10], ["nearer", 5], ["opposite", 180]);
    const hits = await find(pool, store, "", { queries: [{ text: "unknown", embedding: direction(0) }] });
    assert.deepEqual(
      hits.map((hit) => hit.text),
      ["nearer", "near", "far", "opposite"],
    );
    assert.ok(hits.every((hit) => hit.score >= 0 && hit.score <= 1));
  });

  check("what words and vectors both find comes before what only one of them finds", async (pool) => {
    const store = newStore();
    await addText(pool, { store }, ["a cat", 80], ["felines at night", 2], ["a cat at night", 5], ["a cat", 85]);
    const queries = [{ text: "cat", embedding: direction(0) }];
    assert.equal((await textsFor(pool, store, "", { queries }))[0], "a cat at night");
  });

  check(
    "a perfect match of words and vector has the score 1, and the threshold leaves out what is below",
    async (pool) => {
      const store = newStore();
      await addText(pool, { store }, ["black cat", 0], ["white cat", 60], ["dog", 90]);
      const queries = [{ text: "black cat", embedding: direction(0) }];
      const hits = await find(pool, store, "", { queries });
      assert.ok(Math.abs((hits[0]?.score ?? 0) - 1) < 1e-6);
      assert.deepEqual(await textsFor(pool, store, "", { queries, score_threshold: 0.9 }), ["black cat"]);
      assert.deepEqual(await textsFor(pool, store, "", { queries, score_threshold: 0.1 }), ["black cat", "white cat"]);
    },
  );

  check("what has no weight finds nothing, and what has more weight comes first", async (pool) => {
    const store = newStore();
    await addText(pool, { store }, ["a cat by its word", 90], ["feline by its meaning", 0]);
    const queries = [{ text: "cat", embedding: direction(0) }];
    const weigh = (words: number, vectors: number) =>
      textsFor(pool, store, "", { queries, weights: { words, vectors } });
    assert.deepEqual(await weigh(1, 0), ["a cat by its word"]);
    assert.deepEqual((await weigh(0, 1))[0], "feline by its meaning");
    assert.deepEqual(await weigh(3, 1), ["a cat by its word", "feline by its meaning"]);
    assert.deepEqual(await weigh(1, 3), ["feline by its meaning", "a cat by its word"]);
    const [first] = await find(pool, store, "", { queries, weights: { words: 3, vectors: 1 } });
    assert.ok(Math.abs((first?.score ?? 0) - 0.75) < 1e-6, "the score is the weighted mean");
    assert.equal((await weigh(0, 0)).length, 2, "without any weight both count");
    const byWords = { queries: [{ text: "cat", embedding: null }], weights: { words: 0, vectors: 1 } };
    assert.deepEqual(await textsFor(pool, store, "", byWords), ["a cat by its word"], "where there is no other half");
  });

  check("several queries are each answered, and a chunk is found once", async (pool) => {
    const store = newStore();
    await addText(pool, { store }, "about cats", "about dogs", "about cats and dogs", "about birds");
    const queries = ["cat", "dog"].map((text) => ({ text, embedding: null }));
    const texts = await textsFor(pool, store, "", { queries });
    assert.deepEqual(texts.toSorted(), ["about cats", "about cats and dogs", "about dogs"]);
  });

  check("a file that is in two stores is found once", async (pool) => {
    const [first, second] = [newStore(), newStore()];
    const { file_id } = await addText(pool, { store: first }, "the only cat");
    await addText(pool, { store: second, file_id }, "the only cat");
    assert.deepEqual(await textsFor(pool, [first, second], "cat"), ["the only cat"]);
  });

  check("one file does not push the others out, unless they have nothing", async (pool) => {
    const store = newStore();
    const many = Array.from({ length: 10 }, (_, index) => `cat cat cat number ${index}`);
    const { file_id: large } = await addText(pool, { store }, ...many);
    for (let index = 0; index < 3; index += 1) {
      await addText(pool, { store }, "a cat is mentioned here among very many other words as well");
    }
    const hits = await find(pool, store, "cat", { limit: 4 });
    assert.equal(hits.filter((hit) => hit.file_id === large).length, 2);
    assert.equal(hits.length, 4);
    const alone = newStore();
    await addText(pool, { store: alone }, ...many);
    assert.equal((await find(pool, alone, "cat", { limit: 4 })).length, 4);
  });

  check("vectors of another model or length are not compared", async (pool) => {
    const store = newStore();
    const { key } = await addFile(pool, { store });
    const chunk = { tokens: 1, text: "one" };
    const file = { project_id: PROJECT, vector_store_file_id: key };
    const insert = (index: number, model: string, embedding: Float32Array) =>
      insertChunks(pool, { ...file, embedding_model: model }, [
        { ...chunk, index, text: `${model} ${index}`, embedding },
      ]);
    await insert(0, "old", direction(0));
    await insert(1, "new", direction(0));
    await insert(2, "new", Float32Array.of(1, 0, 0));
    const queries = [{ text: "", embedding: direction(0) }];
    assert.deepEqual(await textsFor(pool, store, "", { queries, embedding_model: "new" }), ["new 1"]);
    assert.deepEqual(await textsFor(pool, store, "", { queries, embedding_model: "unknown" }), []);
    assert.deepEqual(await textsFor(pool, store, "old"), ["old 0"]); // words find all of them
  });

  check("chunks of another language are found by their own stems", async (pool) => {
    const store = newStore();
    const { key } = await addFile(pool, { store });
    const file = { project_id: PROJECT, vector_store_file_id: key };
    const chunk = { tokens: 1, embedding: null };
    await insertChunks(pool, { ...file, language: "german" }, [{ ...chunk, index: 0, text: "Die Häuser stehen leer" }]);
    await insertChunks(pool, { ...file, language: "english" }, [{ ...chunk, index: 1, text: "The houses are empty" }]);
    await insertChunks(pool, { ...file, language: "simple" }, [{ ...chunk, index: 2, text: "the" }]);
    assert.deepEqual(await textsFor(pool, store, "Haus"), ["Die Häuser stehen leer"]);
    assert.deepEqual(await textsFor(pool, store, "house"), ["The houses are empty"]);
    assert.deepEqual(await textsFor(pool, store, "the"), ["the"]);
    await assert.rejects(insertChunks(pool, { ...file, language: "klingon" }, [{ ...chunk, index: 3, text: "x" }]));
    await pool.query("delete from search_languages where name <> 'english'");
  });

  check("writing the same chunks again changes nothing, and a file that is gone takes none", async (pool) => {
    const store = newStore();
    const { key } = await addText(pool, { store }, "the first cat");
    const file = { project_id: PROJECT, vector_store_file_id: key };
    await insertChunks(pool, file, [{ index: 0, text: "another cat", tokens: 2, embedding: null }]);
    assert.deepEqual(await textsFor(pool, store, "cat"), ["the first cat"]);
    await insertChunks(pool, { ...file, project_id: OTHER_PROJECT }, [
      { index: 1, text: "a stolen cat", tokens: 2, embedding: null },
    ]);
    assert.deepEqual(await textsFor(pool, store, "cat"), ["the first cat"]);
    await pool.query("delete from vector_store_files where id = $1", [key]);
    while (await removeDroppedChunks(pool));
    await insertChunks(pool, file, [{ index: 0, text: "a late cat", tokens: 2, embedding: null }]);
    const { rows } = await pool.query("select 1 from chunks where vector_store_file_id = $1", [key]);
    assert.equal(rows.length, 0);
  });

  check("what is deleted is not found from that moment on, and its chunks are removed after that", async (pool) => {
    const [store, other] = [newStore(), newStore()];
    const { key, file_id } = await addText(pool, { store }, ["a cat", 0]);
    const { key: second } = await addText(pool, { store }, ["a cat", 0], ["two cats", 0]);
    const { key: kept } = await addText(pool, { store: other }, ["a cat", 0]);
    await pool.query("insert into extracted_chunks values ($1, 7, 'waits', 1)", [second]);
    const search = { queries: [{ text: "cat", embedding: direction(0) }] };
    const find = (...stores: string[]) => textsFor(pool, stores, "", search);
    await pool.query("delete from files where id = $1", [file_id]);
    assert.equal((await find(store)).length, 2);
    await pool.query("delete from vector_stores where id = $1", [store]);
    assert.deepEqual(await find(store), []);
    assert.deepEqual(await find(store, other), ["a cat"]);
    while (await removeDroppedChunks(pool));
    for (const table of ["chunks", "extracted_chunks"]) {
      const { rows } = await pool.query(
        `select vector_store_file_id as id from ${table} where vector_store_file_id = any($1)`,
        [[key, second, kept]],
      );
      assert.deepEqual(rows, table === "chunks" ? [{ id: kept }] : []);
    }
    assert.equal((await pool.query("select 1 from dropped_entries")).rowCount, 0);
  });

  check("chunks are removed a few at a time, by several at once", async (pool) => {
    const store = newStore();
    const { key } = await addText(pool, { store }, "a cat");
    await pool.query(
      `insert into extracted_chunks (vector_store_file_id, chunk_index, text, tokens)
       select $1, number, 'waits', 1 from generate_series(1, $2) number`,
      [key, 2 * DROPPED_CHUNKS_BATCH],
    );
    await pool.query("delete from vector_stores where id = $1", [store]);
    const count = async () =>
      (
        await pool.query<{ left: number }>(
          "select count(*) as left from extracted_chunks where vector_store_file_id = $1",
          [key],
        )
      ).rows[0]?.left;
    assert.equal(await removeDroppedChunks(pool), true);
    assert.equal(await count(), DROPPED_CHUNKS_BATCH);
    const removeAll = async () => {
      while (await removeDroppedChunks(pool));
    };
    await Promise.all([removeAll(), removeAll()]);
    await removeAll(); // one of the two may have found the other at it
    assert.equal(await count(), 0);
    assert.equal((await pool.query("select 1 from chunks where vector_store_file_id = $1", [key])).rowCount, 0);
  });

  check("an index is made where there is pgvector, once, and finds what a scan finds", async (pool) => {
    const hasPgvector = database.name === "Postgres with pgvector";
    const model = { model: "", dimensions: 4 };
    const states = await Promise.all([ensureVectorIndex(database.url, model), ensureVectorIndex(database.url, model)]);
    assert.ok(states.includes(hasPgvector ? "ready" : "no_extension"), states.join());
    assert.equal(await ensureVectorIndex(database.url, { model: "huge", dimensions: 5000 }), "too_many_dimensions");
    forgetVectorIndexes(pool);
    const [store, other] = [newStore(), newStore()];
    const texts = Array.from({ length: 300 }, (_, index): [string, number] => [`chunk ${index}`, index / 2]);
    await addText(pool, { store: other }, ...texts);
    await addText(pool, { store, attributes: { odd: true } }, ...texts.filter((_, index) => index % 2 === 1));
    await addText(pool, { store, attributes: { odd: false } }, ...texts.filter((_, index) => index % 2 === 0));
    const search: Partial<Search> = {
      queries: [{ text: "", embedding: direction(75.2) }],
      filters: { type: "eq", key: "odd", value: true },
      limit: 20,
    };
    const exact = await textsFor(pool, store, "", { ...search, vectors: "scan" });
    assert.equal(exact[0], "chunk 151");
    assert.deepEqual(await textsFor(pool, store, "", { ...search, vectors: "index" }), exact);
    assert.deepEqual(await textsFor(pool, store, "", search), exact);
  });
}
