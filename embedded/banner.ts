// What the user reads when everything is ready: where it is, how to get in, and a first call to copy.
import type { FirstKey } from "./first-key.ts";

export interface BannerFacts {
  /** Address of the API without /v1, such as http://127.0.0.1:8080. */
  apiUrl: string;
  /** Undefined when the Temporal server is not ours. */
  temporalUiUrl: string | undefined;
  dataDir: string;
  key: FirstKey;
  /** Which endpoint answers, in words. */
  modelEndpoint: string;
  /** How files are searched, in words. */
  fileSearch: string;
  /** Whether code can be run, in words. */
  codeInterpreter: string;
  /** A model name that works there. */
  model: string;
}

/** The banner as lines of text. A key is shown only while it is new; later the file is named. */
export function renderBanner(facts: BannerFacts): string {
  const { apiUrl, temporalUiUrl, dataDir, key, modelEndpoint, fileSearch, codeInterpreter } = facts;
  const rows = [
    ["API", `${apiUrl}/v1`],
    ...(temporalUiUrl === undefined ? [] : [["Temporal UI", temporalUiUrl]]),
    ["API key", describeKey(key)],
    ["Model", modelEndpoint],
    ["File Search", fileSearch],
    ["Code Interpreter", codeInterpreter],
    ["Data and logs", dataDir],
  ];
  return `
Durable Assistants is ready.

${rows.map(([name = "", value]) => `  ${name.padEnd(18)}${value}`).join("\n")}

Any OpenAI SDK works by changing its base URL. A first call, to paste into another terminal:

${renderExamples(facts)}
Ctrl-C stops everything. Runs that are on their way go on at the next start.
`;
}

function describeKey({ key, file, isNew }: FirstKey): string {
  if (file === undefined) return "yours, from BOOTSTRAP_API_KEY";
  return isNew ? `${key}   (shown this once; kept in ${file})` : `in ${file}`;
}

/** Here-documents, so that the shell puts the key in where it is not shown. The code has no character that a shell would touch. */
function renderExamples({ apiUrl, key, model }: BannerFacts): string {
  const apiKey = exampleKey(key);
  return `# curl
curl -s ${apiUrl}/v1/assistants -H "Authorization: Bearer ${apiKey}" \\
  -H "OpenAI-Beta: assistants=v2" -H "Content-Type: application/json" -d '{"model": "${model}"}'

# Node (npm install openai)
node --input-type=module <<END
import OpenAI from "openai";
const client = new OpenAI({ baseURL: "${apiUrl}/v1", apiKey: "${apiKey}" });
const assistant = await client.beta.assistants.create({ model: "${model}" });
const thread = { messages: [{ role: "user", content: "Hello!" }] };
const run = await client.beta.threads.createAndRunPoll({ assistant_id: assistant.id, thread });
const messages = await client.beta.threads.messages.list(run.thread_id);
console.log(messages.data[0].content[0].text.value);
END

# Python (pip install openai)
python3 <<END
from openai import OpenAI
client = OpenAI(base_url="${apiUrl}/v1", api_key="${apiKey}")
assistant = client.beta.assistants.create(model="${model}")
thread = {"messages": [{"role": "user", "content": "Hello!"}]}
run = client.beta.threads.create_and_run_poll(assistant_id=assistant.id, thread=thread)
messages = client.beta.threads.messages.list(run.thread_id)
print(messages.data[0].content[0].text.value)
END
`;
}

function exampleKey({ key, file, isNew }: FirstKey): string {
  if (file === undefined) return "$BOOTSTRAP_API_KEY";
  return isNew ? key : `$(cat '${file}')`;
}
