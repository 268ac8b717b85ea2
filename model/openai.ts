// Models behind any endpoint that speaks OpenAI's chat-completions protocol.
import OpenAI from "openai";
import type { ChatCompletionChunk, ChatCompletionCreateParamsStreaming } from "openai/resources/chat/completions";
import { MODEL_IDLE_TIMEOUT_MS } from "../contract/limits.ts";
import { toEndpointError } from "./endpoint-error.ts";
import { ModelFailed } from "./model.ts";
import type { Model, ModelEvent, ModelRequest, TokenCounts } from "./model.ts";
import type { Endpoint, Router } from "./router.ts";

/** Makes the port to the endpoints that `route` knows. Retries are the caller's: a request is sent once. */
export function createOpenAIModel(route: Router): Model {
  const clients = new Map<string, OpenAI>();
  const clientOf = ({ base_url, api_key }: Endpoint) => {
    const known = clients.get(`${base_url} ${api_key}`);
    if (known !== undefined) return known;
    const client = new OpenAI({ baseURL: base_url, apiKey: api_key, maxRetries: 0, timeout: MODEL_IDLE_TIMEOUT_MS });
    clients.set(`${base_url} ${api_key}`, client);
    return client;
  };
  return {
    contextWindow: (name) => route(name).context_window,
    async *stream(request, signal) {
      const endpoint = route(request.model);
      const watch = new IdleWatch(signal);
      try {
        const body = toBody(request, endpoint);
        const chunks = await clientOf(endpoint).chat.completions.create(body, { signal: watch.signal });
        yield* readChunks(chunks, watch);
      } catch (error) {
        signal.throwIfAborted();
        throw toModelError(error, watch);
      } finally {
        watch.stop();
      }
    },
  };
}

/** Aborts a request on which nothing has arrived for too long. */
class IdleWatch {
  readonly signal: AbortSignal;
  readonly #idle = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #isComplete = false;

  constructor(outer: AbortSignal) {
    this.signal = AbortSignal.any([outer, this.#idle.signal]);
    this.alive();
  }

  get expired(): boolean {
    return this.#idle.signal.aborted;
  }

  alive(): void {
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#idle.abort(), MODEL_IDLE_TIMEOUT_MS);
    else this.#timer.refresh();
  }

  /** Everything is read: the connection may serve another request. */
  complete(): void {
    this.#isComplete = true;
  }

  /** Closes the connection if the reader has stopped before the end. */
  stop(): void {
    clearTimeout(this.#timer);
    if (!this.#isComplete) this.#idle.abort();
  }
}

function toBody(request: ModelRequest, endpoint: Endpoint): ChatCompletionCreateParamsStreaming {
  const { tools, response_format } = request;
  return {
    model: endpoint.upstream,
    messages: request.messages,
    stream: true,
    stream_options: { include_usage: true },
    // 1 is every endpoint's default, and some models refuse to be told even that.
    ...(request.temperature === 1 ? {} : { temperature: request.temperature }),
    ...(request.top_p === 1 ? {} : { top_p: request.top_p }),
    ...(request.reasoning_effort === null ? {} : { reasoning_effort: request.reasoning_effort }),
    ...(typeof response_format === "string" || response_format.type === "text" ? {} : { response_format }),
    ...(request.max_completion_tokens === null ? {} : { [endpoint.max_tokens_field]: request.max_completion_tokens }),
    ...(tools.length === 0
      ? {}
      : {
          tools,
          ...(request.tool_choice === "auto" ? {} : { tool_choice: request.tool_choice }),
          ...(request.parallel_tool_calls ? {} : { parallel_tool_calls: false }),
        }),
  } as ChatCompletionCreateParamsStreaming;
}

async function* readChunks(chunks: AsyncIterable<ChatCompletionChunk>, watch: IdleWatch): AsyncGenerator<ModelEvent> {
  let reason: ChatCompletionChunk.Choice["finish_reason"] = null;
  let usage: TokenCounts | undefined;
  for await (const chunk of chunks) {
    watch.alive();
    if (chunk.usage) usage = toCounts(chunk.usage);
    const choice = chunk.choices?.[0];
    if (choice === undefined) continue;
    const { delta } = choice;
    if (delta?.content) yield { type: "text", text: delta.content };
    if (delta?.refusal) yield { type: "refusal", text: delta.refusal };
    for (const call of delta?.tool_calls ?? []) {
      yield {
        type: "tool_call",
        index: call.index ?? 0,
        ...(call.id ? { id: call.id } : {}),
        ...(call.function?.name ? { name: call.function.name } : {}),
        arguments: call.function?.arguments ?? "",
      };
    }
    reason = choice.finish_reason ?? reason;
  }
  if (reason === null) throw new ModelFailed("The model's answer was cut off.");
  watch.complete();
  yield { type: "finish", reason: reason === "function_call" ? "tool_calls" : reason, usage };
}

function toCounts(usage: NonNullable<ChatCompletionChunk["usage"]>): TokenCounts {
  return {
    prompt_tokens: usage.prompt_tokens ?? 0,
    completion_tokens: usage.completion_tokens ?? 0,
    cached_tokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
    reasoning_tokens: usage.completion_tokens_details?.reasoning_tokens ?? 0,
  };
}

function toModelError(error: unknown, watch: IdleWatch): Error {
  if (error instanceof ModelFailed) return error;
  if (watch.expired) return new ModelFailed("The model stopped answering.", { cause: error });
  return toEndpointError(error, "The model's endpoint");
}
