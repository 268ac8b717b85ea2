// Which of two mistakes in one request is named: key, URL, beta header, JSON, validation, object in the path, state.
import { error } from "./error-rows.ts";
import { assertRefused, badRequest, notFound, unauthorized } from "./refusals.ts";
import type { Refusal } from "./refusals.ts";
import type { Row } from "./row.ts";
import { newRun, newThread } from "./world.ts";
import type { World } from "./world.ts";

/** A request for a new message, with one or two mistakes. */
interface Attempt {
  headers: Record<string, string | undefined>;
  thread: string;
  path: string;
  body: unknown;
}

interface Mistake {
  name: string;
  make(attempt: Attempt): void;
  refusal(attempt: Attempt): Refusal;
}

const MISTAKES: readonly Mistake[] = [
  {
    name: "key",
    make: ({ headers }) => {
      headers["authorization"] = undefined;
    },
    refusal: () => unauthorized(/^You didn't provide an API key\./, null),
  },
  {
    name: "url",
    make: (attempt) => {
      attempt.path = "messagez";
    },
    refusal: ({ thread }) => notFound(`Invalid URL (POST /v1/threads/${thread}/messagez)`),
  },
  {
    name: "beta header",
    make: ({ headers }) => {
      headers["openai-beta"] = undefined;
    },
    refusal: () => badRequest(/^You must provide the 'OpenAI-Beta' header/, null, "invalid_beta"),
  },
  {
    name: "json",
    make: (attempt) => {
      attempt.body = "{";
    },
    refusal: () => badRequest(/^We could not parse the JSON body of your request\./),
  },
  {
    name: "validation",
    make: (attempt) => {
      if (attempt.body !== "{") attempt.body = { role: "user" };
    },
    refusal: () => badRequest("Missing required parameter: 'content'.", "content", "missing_required_parameter"),
  },
  {
    name: "path object",
    make: (attempt) => {
      attempt.thread = "thread_X";
    },
    refusal: () => notFound("No thread found with id 'thread_X'."),
  },
  { name: "state", make: () => undefined, refusal: () => badRequest(/^Can't add messages to thread_/) },
];

/** Every two mistakes in one request, and each alone. The state is wrong in all of them that name the locked thread. */
export const orderRows: Row<World>[] = MISTAKES.flatMap((first, index) =>
  MISTAKES.slice(index).map((second) => {
    const title =
      first === second
        ? `a request with a wrong ${first.name} is told so`
        : `a wrong ${first.name} is named before a wrong ${second.name}`;
    return error(`order.${first.name}.${second.name}`.replaceAll(" ", "-"), "5.4", title, async (world) => {
      const isLocked = second.name === "state";
      const locked = await world.once("locked thread", async () => String((await newRun(world))["thread_id"]));
      const thread = isLocked ? locked : (await newThread(world)).id;
      const attempt: Attempt = { headers: {}, thread, path: "messages", body: { role: "user", content: "x" } };
      second.make(attempt);
      first.make(attempt);
      const { headers, body } = attempt;
      const answer = await world.call("POST", `/threads/${attempt.thread}/${attempt.path}`, { headers, body });
      assertRefused(answer, first.refusal(attempt));
    });
  }),
);
