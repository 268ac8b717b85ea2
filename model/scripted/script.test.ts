import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChatMessage } from "./request.ts";
import { findScript, turnIndex } from "./script.ts";

const user = (content: string): ChatMessage => ({ role: "user", content });
const assistant = (content: string): ChatMessage => ({ role: "assistant", content });
const texts = (messages: ChatMessage[]) => findScript(messages)?.turns.map((turn) => turn.text);

test("a script stands on a line of its own, with other text around it", () => {
  assert.deepEqual(texts([user('Hello\n  #script {"turns":[{"text":"a"}]}\nand good bye')]), ["a"]);
});

test("a script may be the whole rest of the text, over many lines", () => {
  assert.deepEqual(texts([user('Hello\n#script {\n"turns": [\n{"text":"a"}]\n}')]), ["a"]);
});

test("a script may stand in a text part", () => {
  const content = [
    { type: "text", text: "Hello" },
    { type: "text", text: '#script {"turns":[{"text":"a"}]}' },
  ];
  assert.deepEqual(texts([{ role: "user", content }]), ["a"]);
});

test("the word in the middle of a line is no script", () => {
  assert.equal(findScript([user('please run #script {"turns":[]}')]), null);
});

test("only the newest user message counts, and then the instructions", () => {
  const instructions: ChatMessage = { role: "system", content: '#script {"turns":[{"text":"of the instructions"}]}' };
  const older = user('#script {"turns":[{"text":"old"}]}');
  const newer = user('#script {"turns":[{"text":"new"}]}');
  assert.deepEqual(texts([instructions, older, assistant("x"), newer]), ["new"]);
  assert.deepEqual(texts([instructions, older, assistant("x"), user("hi")]), ["of the instructions"]);
  assert.equal(findScript([older, assistant("x"), user("hi")]), null);
});

test("each assistant message since the newest user message moves on by one turn, and the last turn repeats", () => {
  const script = findScript([user('#script {"turns":[{"text":"a"},{"text":"b"}]}')]);
  assert.ok(script);
  const history = [user("before"), assistant("before"), user("now")];
  const answers = [assistant("a"), { role: "tool", content: "t" } as ChatMessage, assistant("b"), assistant("c")];
  const indexes = [0, 1, 2, 3, 4].map((count) => turnIndex(script, [...history, ...answers.slice(0, count)]));
  assert.deepEqual(indexes, [0, 1, 1, 1, 1]);
});

for (const [what, script, problem] of [
  ["that is no JSON", "{turns", /not JSON/],
  ["without turns", '{"turns":[]}', /turns/],
  ["with a misspelt field", '{"turns":[{"txt":"a"}]}', /txt/],
  ["with both text and chunks", '{"turns":[{"text":"a","chunks":["a"]}]}', /either text or chunks/],
  ["with times but no key", '{"turns":[{"cut_after_chunks":1,"times":1}]}', /needs a key/],
  ["that answers without end", '{"turns":[{"text":"abc","repeat":1000000}]}', /at most/],
] as const) {
  test(`a script ${what} is refused with a reason`, () => {
    assert.throws(() => findScript([user(`#script ${script}`)]), problem);
  });
}

test("messages that nobody has checked cannot break the search", () => {
  const messages = [{ role: "user", content: [null, 3, { text: 7 }] }, { role: 4 }, {}] as unknown as ChatMessage[];
  assert.equal(findScript(messages), null);
});
