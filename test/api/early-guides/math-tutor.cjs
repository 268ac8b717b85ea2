// The first quickstart of November 2023, done as it says: six calls, one after the other.
const OpenAI = require("openai");

const openai = new OpenAI({ baseURL: process.env.OPENAI_BASE_URL });
const [question] = process.argv.slice(2);

async function main() {
  const assistant = await openai.beta.assistants.create({
    name: "Algebra coach",
    instructions: "You teach algebra. Where it helps, calculate with a program of your own.",
    tools: [{ type: "code_interpreter" }],
    model: "gpt-4-1106-preview",
  });
  const thread = await openai.beta.threads.create();
  const message = await openai.beta.threads.messages.create(thread.id, { role: "user", content: question });
  const before = await openai.beta.threads.messages.list(thread.id);
  console.log(`asked: ${before.data.length === 1 && before.data[0].id === message.id}`);

  let run = await openai.beta.threads.runs.create(thread.id, {
    assistant_id: assistant.id,
    instructions: "The user is called Ada and pays for this. Say her name.",
  });
  console.log(`begun: ${run.status}`);
  while (run.status === "queued" || run.status === "in_progress") {
    await new Promise((resolve) => setTimeout(resolve, 100));
    run = await openai.beta.threads.runs.retrieve(thread.id, run.id);
  }
  console.log(`ended: ${run.status}`);

  const messages = await openai.beta.threads.messages.list(thread.id);
  for (const { role, content } of messages.data) console.log(`${role}: ${content[0].text.value.split("\n")[0]}`);
  const steps = await openai.beta.threads.runs.steps.list(thread.id, run.id);
  console.log(`steps: ${steps.data.map((step) => step.type).join(", ")}`);
}

void main();
