import assert from "node:assert/strict";
import { test } from "node:test";
import { answerAsDemo } from "./demo.ts";
import type { ChatMessage, ChatRequest, ChatTool } from "./request.ts";

const tool = (name: string, description: string, properties: object, required: string[]): ChatTool => ({
  type: "function",
  function: { name, description, parameters: { type: "object", properties, required } },
});
const location = { location: { type: "string", description: "The city and state, e.g., San Francisco, CA" } };
const weather = tool("get_weather", "Get the current weather", location, ["location"]);
const rain = tool("get_rain_probability", "Get the probability of rain for a location", location, ["location"]);
const temperature = tool("get_current_temperature", "Get the current temperature for a location", location, [
  "location",
]);
const interpreter = tool("code_interpreter", "Runs Python code", { code: { type: "string" } }, ["code"]);
const search = tool("file_search", "Searches the files", { queries: { type: "array", items: { type: "string" } } }, [
  "queries",
]);

function ask(text: string, more: Partial<ChatRequest> = {}, since: ChatMessage[] = []) {
  const turn = answerAsDemo({ model: "m", messages: [{ role: "user", content: text }, ...since], ...more });
  return { ...turn, calls: (turn.tool_calls ?? []).map((call) => [call.name, call.arguments]) };
}
const calledWith = (output: string): ChatMessage[] => [
  {
    role: "assistant",
    content: null,
    tool_calls: [{ id: "c", type: "function", function: { name: "get_weather", arguments: '{"location":"Paris"}' } }],
  },
  { role: "tool", tool_call_id: "c", content: output },
];

test("without tools it quotes the user and says that it is no real AI", () => {
  const { text } = ask("Tell me a joke");
  assert.match(text ?? "", /scripted demo model, not a real AI/);
  assert.match(text ?? "", /"Tell me a joke"/);
  assert.match(text ?? "", /get_weather/);
});

test("it calls the tool that the text speaks of, and no other", () => {
  assert.deepEqual(ask("What's the weather in Paris?", { tools: [weather, interpreter, search] }).calls, [
    ["get_weather", { location: "Paris" }],
  ]);
  assert.deepEqual(ask("Search the files for our holiday rules", { tools: [weather, interpreter, search] }).calls, [
    ["file_search", { queries: ["Search the files for our holiday rules"] }],
  ]);
  assert.deepEqual(ask("use python: 12*34", { tools: [weather, interpreter] }).calls, [
    ["code_interpreter", { code: "print(12*34)" }],
  ]);
  assert.deepEqual(ask("Tell me a joke", { tools: [weather, interpreter] }).calls, []);
});

test("an equation is solved by running code, whatever else there is to call", () => {
  const { calls } = ask("Solve 2x + 3 = 4", { tools: [weather, search, interpreter] });
  assert.deepEqual(
    calls.map(([name]) => name),
    ["code_interpreter"],
  );
  assert.match(JSON.stringify(calls), /2\*x \+ 3/);
});

test("what code prints is told, and no code is run again", () => {
  const since: ChatMessage[] = [
    {
      role: "assistant",
      tool_calls: [{ id: "c", type: "function", function: { name: "code_interpreter", arguments: '{"code":"1"}' } }],
    },
    { role: "tool", tool_call_id: "c", content: "x = 1/2\n" },
  ];
  const { text, calls } = ask("Solve 2x + 3 = 4", { tools: [interpreter] }, since);
  assert.deepEqual(calls, []);
  assert.match(text ?? "", /I ran Python, and it says: x = 1\/2$/);
});

for (const [text, places] of [
  ["Weather in Paris and London", ["Paris", "London"]],
  ["weather in Paris, New York and Rio de Janeiro?", ["Paris", "New York", "Rio de Janeiro"]],
  ["what's the weather in paris and rome today", ["paris", "rome"]],
  ["How is the weather in San Francisco, CA?", ["San Francisco, CA"]],
  ["What will the weather be on Monday in Paris, in Celsius?", ["Paris"]],
  ["What's the weather in Paris and what should I wear?", ["Paris"]],
] as const) {
  test(`"${text}" asks about ${places.join(" and ")}`, () => {
    assert.deepEqual(
      ask(text, { tools: [weather] }).calls,
      places.map((place) => ["get_weather", { location: place }]),
    );
  });
}

test("the question of OpenAI's function calling guide calls both of its functions", () => {
  const { calls } = ask("What's the weather in San Francisco today and the likelihood it'll rain?", {
    tools: [temperature, rain],
  });
  assert.deepEqual(
    calls.map(([name]) => name),
    ["get_current_temperature", "get_rain_probability"],
  );
});

test("parallel_tool_calls: false allows one call", () => {
  assert.equal(ask("weather in Paris and London", { tools: [weather], parallel_tool_calls: false }).calls.length, 1);
});

test("what is about no tool is looked for in the files, and the answer cites what came first", () => {
  const question = "How many days off do I have?";
  assert.deepEqual(ask(question, { tools: [weather, search] }).calls, [["file_search", { queries: [question] }]]);
  assert.deepEqual(ask(" ", { tools: [weather, search] }).calls, []);
  const found = "Cite by the markers.\n\n【0:0†rules.md】\n31 days a year.\n\n【0:1†b.md】\nOther words.";
  const since: ChatMessage[] = [
    {
      role: "assistant",
      tool_calls: [{ id: "c", type: "function", function: { name: "file_search", arguments: "{}" } }],
    },
    { role: "tool", tool_call_id: "c", content: found },
  ];
  const { text, calls } = ask(question, { tools: [weather, search] }, since);
  assert.deepEqual(calls, []);
  assert.match(text ?? "", /file_search found this first: "31 days a year\."【0:0†rules\.md】/);
});

test("tool_choice decides whether and what is called", () => {
  const tools = [weather, interpreter];
  assert.deepEqual(ask("weather in Paris", { tools, tool_choice: "none" }).calls, []);
  assert.equal(ask("Tell me a joke", { tools, tool_choice: "required" }).calls[0]?.[0], "get_weather");
  const named = ask("weather in Paris", {
    tools,
    tool_choice: { type: "function", function: { name: "code_interpreter" } },
  });
  assert.equal(named.calls[0]?.[0], "code_interpreter");
  assert.equal(named.finish_reason, "stop");
});

test("after the tool has answered it reports the output and calls nothing again", () => {
  const { text, calls } = ask("weather in Paris", { tools: [weather] }, calledWith("22 °C and sunny"));
  assert.deepEqual(calls, []);
  assert.match(text ?? "", /not a real AI/);
  assert.match(text ?? "", /get_weather with \{"location":"Paris"\} returned: 22 °C and sunny/);
});

test("a long output is shortened, but its first citation marker stays", () => {
  const { text } = ask("weather in Paris", { tools: [weather] }, calledWith(`${"x".repeat(9000)}【0:1†rules.txt】`));
  assert.ok((text ?? "").length < 1000);
  assert.match(text ?? "", /【0:1†rules.txt】/);
});

test("JSON is answered when JSON is asked for", () => {
  assert.match(
    String(JSON.parse(ask("hi", { response_format: { type: "json_object" } }).text ?? "").answer),
    /not a real AI.*hi/,
  );
  const schema = {
    type: "object",
    properties: { answer: { type: "string" }, score: { type: "integer", minimum: 1 } },
    required: ["answer", "score"],
  };
  const answer = JSON.parse(
    ask("hi", { response_format: { type: "json_schema", json_schema: { name: "a", schema } } }).text ?? "",
  ) as Record<string, unknown>;
  assert.deepEqual(Object.keys(answer), ["answer", "score"]);
  assert.match(String(answer.answer), /not a real AI/);
  assert.equal(answer.score, 1);
});

test("a very long text costs next to nothing", () => {
  const started = performance.now();
  for (const unit of ["1", " ", "A", "```\n", "in ", '"'])
    ask(unit.repeat(200_000), { tools: [weather, interpreter, search] });
  assert.ok(performance.now() - started < 1000);
});
