// Every recorded life of a run still replays with today's workflow code, so runs that are in flight survive an upgrade.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from "@temporalio/worker";
import type { WorkflowBundle } from "@temporalio/worker";

const FOLDER = new URL("./", import.meta.url);
const files = readdirSync(FOLDER).filter((name) => name.endsWith(".json"));

interface RecordedHistory {
  events: { eventType?: string; activityTaskScheduledEventAttributes?: { activityType?: { name?: string } } }[];
}

let workflowBundle: WorkflowBundle;
before(async () => {
  Runtime.install({ logger: new DefaultLogger("ERROR") });
  const workflowsPath = fileURLToPath(new URL("../../workflows/index.ts", import.meta.url));
  workflowBundle = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger("ERROR") });
});

test("every path of a run and of a file has a recorded history", () => {
  assert.deepEqual(files.toSorted(), [
    "v1-cancelled-while-running-code.json",
    "v1-cancelled-while-searching.json",
    "v1-cancelled-while-speaking.json",
    "v1-cancelled-while-waiting.json",
    "v1-completed.json",
    "v1-expired-while-running-code.json",
    "v1-expired-while-searching.json",
    "v1-expired-while-speaking.json",
    "v1-expired-while-waiting.json",
    "v1-failed.json",
    "v1-incomplete.json",
    "v1-ingest-cancelled.json",
    "v1-ingest-completed.json",
    "v1-ingest-failed-while-embedding.json",
    "v1-ingest-failed.json",
    "v1-ingest-in-slices.json",
    "v1-ingest-retried-after-429.json",
    "v1-one-round.json",
    "v1-ran-code-when-its-worker-was-gone.json",
    "v1-ran-code-with-all-else.json",
    "v1-ran-code.json",
    "v1-retried-after-429.json",
    "v1-searched-with-functions.json",
    "v1-searched.json",
    "v1-three-rounds.json",
  ]);
});

for (const file of files) {
  const text = readFileSync(new URL(file, FOLDER), "utf8");

  test(`${file} replays`, async () => {
    await Worker.runReplayHistory({ workflowBundle }, JSON.parse(text), "run_replayed");
  });

  test(`${file} holds nothing that was said`, () => {
    const payloads = [...text.matchAll(/"data": "([^"]*)"/g)].map(([, base64]) => atob(base64 ?? ""));
    assert.ok(payloads.length > 0);
    for (const said of ["#script", "Please", "hello", "found", "word ", "#embeddings", "queries", "while True"]) {
      assert.ok(!payloads.some((payload) => payload.includes(said)), said);
      assert.ok(!text.includes(said), said);
    }
  });
}

test("a plain run costs one activity", () => {
  const { events } = JSON.parse(readFileSync(new URL("v1-completed.json", FOLDER), "utf8")) as RecordedHistory;
  const activities = events.flatMap((event) => event.activityTaskScheduledEventAttributes?.activityType?.name ?? []);
  assert.deepEqual(activities, ["generate"]);
});

test("each search of a run is an activity, and each turn", () => {
  const { events } = JSON.parse(readFileSync(new URL("v1-searched.json", FOLDER), "utf8")) as RecordedHistory;
  const activities = events.flatMap((event) => event.activityTaskScheduledEventAttributes?.activityType?.name ?? []);
  assert.deepEqual(activities, ["generate", "searchFiles", "searchFiles", "generate", "searchFiles", "generate"]);
});

test("a changed order of commands is caught", async () => {
  const history = JSON.parse(readFileSync(new URL("v1-completed.json", FOLDER), "utf8")) as RecordedHistory;
  for (const event of history.events) {
    const type = event.activityTaskScheduledEventAttributes?.activityType;
    if (type !== undefined) type.name = "somethingElse";
  }
  await assert.rejects(Worker.runReplayHistory({ workflowBundle }, history, "run_replayed"), /TMPRL1100|[Dd]etermin/);
});
