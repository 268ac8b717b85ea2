// The quickstart of March 2024, when version 1 had learnt to stream: the same tutor, with listeners in place of polling.
const OpenAI = require("openai");

const openai = new OpenAI();
// This SDK is younger than that guide: it has to be told to speak version 1.
const v1 = { headers: { "OpenAI-Beta": "assistants=v1" } };
const [question] = process.argv.slice(2);

async function main() {
  const assistant = await openai.beta.assistants.create(
    {
      name: "Algebra coach",
      instructions: "You teach algebra. Where it helps, calculate with a program of your own.",
      tools: [{ type: "code_interpreter" }],
      model: "gpt-4-turbo-preview",
    },
    v1,
  );
  const thread = await openai.beta.threads.create({}, v1);
  await openai.beta.threads.messages.create(thread.id, { role: "user", content: question }, v1);

  const stream = openai.beta.threads.runs
    .createAndStream(
      thread.id,
      { assistant_id: assistant.id, instructions: "The user is called Ada and pays for this. Say her name." },
      v1,
    )
    .on("textCreated", () => process.stdout.write("\nassistant > "))
    .on("textDelta", (delta) => process.stdout.write(delta.value))
    .on("toolCallCreated", (call) => process.stdout.write(`\nassistant > ${call.type}\n`));
  const run = await stream.finalRun();
  const [message] = await stream.finalMessages();
  console.log(`\nended: ${run.status}, ${run.file_ids.length} files`);
  console.log(`said: ${message.content[0].text.value}`);
}

void main();
