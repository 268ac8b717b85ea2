// The same blog's calls as it showed them for another language, without any SDK: what goes over the wire and nothing else.
async function call(method, path, body) {
  const response = await fetch(`${process.env.OPENAI_BASE_URL}${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${process.env.OPENAI_API_KEY}`,
      "Content-Type": "application/json",
      "OpenAI-Beta": "assistants=v1",
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

void (async () => {
  const assistant = await call("POST", "/assistants", {
    name: "First steps",
    instructions: "You help people who write their first programs. Write programs, run them and explain them.",
    tools: [{ type: "code_interpreter" }],
    model: "gpt-4-1106-preview",
  });
  const thread = await call("POST", "/threads");
  await call("POST", `/threads/${thread.id}/messages`, { role: "user", content: process.argv[2] });
  let run = await call("POST", `/threads/${thread.id}/runs`, {
    assistant_id: assistant.id,
    instructions: "Use short sentences: this is all new to the user.",
  });
  while (run.status !== "completed") {
    await new Promise((resolve) => setTimeout(resolve, 100));
    run = await call("GET", `/threads/${thread.id}/runs/${run.id}`);
  }
  const messages = await call("GET", `/threads/${thread.id}/messages`);
  console.log(messages.data[0].content[0].text.value);
})();
