// What a blog of that time showed in JavaScript: the key by hand, and the newest message as the answer.
const OpenAI = require("openai");

const secretKey = process.env.OPENAI_API_KEY;
const openai = new OpenAI({
  apiKey: secretKey,
  baseURL: process.env.OPENAI_BASE_URL,
});

void (async () => {
  const assistant = await openai.beta.assistants.create({
    name: "First steps",
    instructions: "You help people who write their first programs. Write programs, run them and explain them.",
    tools: [{ type: "code_interpreter" }],
    model: "gpt-4-1106-preview",
  });

  const thread = await openai.beta.threads.create();

  await openai.beta.threads.messages.create(thread.id, {
    role: "user",
    content: process.argv[2],
  });

  const { id } = await openai.beta.threads.runs.create(thread.id, {
    assistant_id: assistant.id,
    instructions: "Use short sentences: this is all new to the user.",
  });

  for (;;) {
    const run = await openai.beta.threads.runs.retrieve(thread.id, id);
    if (run.status === "completed") break;
    if (run.status === "failed") throw new Error(run.last_error.message);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }

  const messages = await openai.beta.threads.messages.list(thread.id);
  console.log(messages.data[0].content[0].text.value);
})();
