// Run steps of the server's own tools, and the citations that come of them.
import assert from "node:assert/strict";
import type { Life } from "./life.ts";
import { rule } from "./row.ts";
import type { Row } from "./row.ts";

interface BuiltIn {
  step_details: { tool_calls: { type: string; file_search?: { results: { content?: unknown }[] } }[] };
}

function resultsOf({ specimens }: Life, moment: string): { content?: unknown }[] {
  const step = specimens.step.find((specimen) => specimen.moment === moment)?.value as unknown as BuiltIn;
  return step.step_details.tool_calls.find(({ type }) => type === "file_search")?.file_search?.results ?? [];
}

interface Delta {
  delta: {
    content: { text: { value: string; annotations?: { text: string; start_index: number; end_index: number }[] } }[];
  };
}
interface Cited {
  content: { text: { value: string; annotations: object[] } }[];
}

/** What the events of a name carry, in the stream of the search. */
function carried<Data>({ streams }: Life, name: string): Data[] {
  return streams.search.events.filter(({ event }) => event === name).map(({ data }) => data as Data);
}

export const runStepRows: Row<Life>[] = [
  rule(
    "run-steps.search.order",
    "4.4",
    "a search is a step with one delta, completed before the answer begins",
    (life) => {
      const names = life.streams.search.events.map(({ event }) => event.replace("thread.", ""));
      assert.deepEqual(names.slice(0, 9), [
        "run.created",
        "run.queued",
        "run.in_progress",
        "run.step.created",
        "run.step.in_progress",
        "run.step.delta",
        "run.step.completed",
        "run.step.created",
        "run.step.in_progress",
      ]);
      assert.deepEqual(names.slice(-4), ["message.completed", "run.step.completed", "run.completed", "done"]);
    },
  ),
  rule(
    "run-steps.search.delta",
    "4.3",
    "the delta of a search has its id and how it ranks, and no results yet",
    (life) => {
      const [delta] = carried<{ delta: { step_details: { tool_calls: { id: string }[] } } }>(
        life,
        "thread.run.step.delta",
      );
      const [call] = delta?.delta.step_details.tool_calls ?? [];
      assert.deepEqual(call, {
        index: 0,
        id: call?.id,
        type: "file_search",
        file_search: { ranking_options: { ranker: "default_2024_08_21", score_threshold: 0 }, results: [] },
      });
    },
  ),
  rule(
    "run-steps.search.results",
    "1.5",
    "the completed step has what was found: file, name, score and attributes",
    (life) => {
      const [step] = carried<BuiltIn & { usage: object }>(life, "thread.run.step.completed");
      const [result] = (step?.step_details.tool_calls[0]?.file_search?.results ?? []) as {
        file_id: string;
        score: number;
      }[];
      assert.deepEqual(result, {
        file_id: result?.file_id,
        file_name: "b.txt",
        score: result?.score,
        attributes: { year: "2024" },
      });
      assert.ok(result.score > 0 && result.score <= 1);
      assert.ok(step?.usage);
    },
  ),
  rule(
    "messages.citation.delta",
    "4.3",
    "a marker comes in one delta with its citation, wherever the model cut it",
    (life) => {
      const deltas = carried<Delta>(life, "thread.message.delta").flatMap(({ delta }) => delta.content);
      const citing = deltas.filter(({ text }) => (text.annotations?.length ?? 0) > 0);
      assert.deepEqual(
        citing.map(({ text }) => [text.value, text.annotations?.map((annotation) => annotation.text)]),
        [["【0:0†b.txt】", ["【0:0†b.txt】"]]],
      );
    },
  ),
  rule(
    "messages.citation.indexes",
    "1.3",
    "indexes of citations count characters, and the message has no quote",
    (life) => {
      const [message] = carried<Cited>(life, "thread.message.completed");
      const { value, annotations } = message?.content[0]?.text ?? assert.fail("there is no text");
      const [annotation, ...others] = annotations as {
        start_index: number;
        end_index: number;
        file_citation: object;
      }[];
      assert.ok(annotation);
      assert.deepEqual(others, []);
      assert.deepEqual([annotation.start_index, annotation.end_index], [10, 21]);
      assert.equal(Array.from(value).slice(10, 21).join(""), "【0:0†b.txt】");
      assert.deepEqual(Object.keys(annotation.file_citation), ["file_id"]);
    },
  ),
  rule("messages.citation.of-nothing", "1.3", "a marker that names no passage is text like any other", (life) => {
    const [message] = carried<Cited>(life, "thread.message.completed");
    assert.ok(message?.content[0]?.text.value.endsWith("43【8:8†b.txt】."));
  }),
  rule(
    "run-steps.include.without",
    "1.0",
    "results of file_search come without content, unless it is asked for",
    (life) => {
      const results = resultsOf(life, "with built-in tools");
      assert.ok(results.length > 0);
      for (const result of results) assert.ok(!("content" in result), "there is content");
    },
  ),
  rule("run-steps.include.with", "1.0", "include[] adds the content of file_search's results", (life) => {
    const results = resultsOf(life, "with built-in tools and content");
    assert.deepEqual(
      results.map(({ content }) => content),
      [[{ type: "text", text: "chunk" }]],
    );
  }),
];
