// What the scripted model answers without a script: a demo by simple rules that never pretends to be an AI. Pure.
import { codeFor, findInterpreter, reportCode } from "./demo-code.ts";
import { valueFromSchema } from "./from-schema.ts";
import type { Hints } from "./from-schema.ts";
import { newestUserIndex, textOf } from "./request.ts";
import type { ChatMessage, ChatRequest, ChatTool } from "./request.ts";
import type { Turn } from "./script.ts";
import { mentionedTools, subjectsOf } from "./words.ts";

const CHUNK_MS = 15;
const CHUNK_CHARS = 6;
const MAX_CALLS = 8;
const MAX_READ_CHARS = 2000;
const MAX_QUOTE_CHARS = 200;
const MAX_OUTPUT_CHARS = 500;

const WHO = "I am the scripted demo model, not a real AI: I follow a few simple rules and run offline.";

const TRY_CODE = ' Try "solve 5x - 3 = 12", or "plot it" with a CSV file.';

/** The demo's answer: tool calls when the text speaks of a tool, then a report of their outputs, otherwise small talk. */
export function answerAsDemo(request: ChatRequest): Turn {
  const newest = newestUserIndex(request.messages);
  const said = textOf(request.messages[newest] ?? {}).slice(0, MAX_READ_CHARS);
  const since = request.messages.slice(newest + 1);
  if (isToRewrite(request)) return { text: said.trim() };
  const pace = { chunk_ms: CHUNK_MS, chunk_chars: CHUNK_CHARS };
  const calls = chooseCalls(request, said, since);
  if (calls.length > 0) {
    // As with OpenAI, a call of the one function that the caller named ends with "stop".
    const isNamed = typeof request.tool_choice === "object" && request.tool_choice !== null;
    return { tool_calls: calls, ...(isNamed ? { finish_reason: "stop" } : {}), ...pace };
  }
  const format = request.response_format;
  if (format && format.type !== "text") {
    return { text: JSON.stringify(jsonAnswer(format.json_schema?.schema, said, since)), ...pace };
  }
  return { text: speak(request, said, since), ...pace };
}

/** Searches ask for rewritten queries. What the demo could make of one would only hide what is looked for. */
function isToRewrite({ messages }: ChatRequest): boolean {
  const [first] = messages;
  return first?.role === "system" && textOf(first).startsWith("Rewrite what the user writes as one query");
}

type Call = { name: string; arguments: Record<string, unknown> };

function chooseCalls(request: ChatRequest, said: string, since: ChatMessage[]): Call[] {
  const calls = chooseTools(request, said, since).flatMap((tool) => callsOf(tool, said));
  return calls.slice(0, request.parallel_tool_calls === false ? 1 : MAX_CALLS);
}

function chooseTools({ tools, tool_choice: choice }: ChatRequest, said: string, since: ChatMessage[]): ChatTool[] {
  if (!tools || choice === "none") return [];
  if (typeof choice === "object" && choice !== null) {
    return tools.filter((tool) => tool.function.name === choice.function.name);
  }
  const interpreter = findInterpreter(tools);
  const isForCode = interpreter !== undefined && codeFor(said, interpreter) !== undefined;
  const wanted = isForCode ? [interpreter] : mentionedTools(tools, said);
  if (choice === "required") return wanted.length > 0 ? wanted : tools.slice(0, 1);
  if (since.some((message) => message.role === "tool")) return [];
  // Questions seldom speak of files, so whatever is about nothing else is looked for there.
  return wanted.length > 0 || said.trim() === "" ? wanted : tools.filter(isSearch);
}

function isSearch({ function: { name } }: ChatTool): boolean {
  return name === "file_search";
}

/** One call for each place or name in the text, if that makes a difference to the arguments. */
function callsOf(tool: ChatTool, said: string): Call[] {
  const code = findInterpreter([tool]) && codeFor(said, tool);
  if (code !== undefined) return [{ name: tool.function.name, arguments: { code } }];
  const subjects = subjectsOf(said);
  const fallback = said.trim();
  const variants =
    subjects.length > 0 ? subjects.map((subject) => [subject, ...subjects.filter((other) => other !== subject)]) : [[]];
  const schema = tool.function.parameters ?? { type: "object", properties: {} };
  const byArguments = new Map<string, Call>();
  for (const variant of variants) {
    const args = valueFromSchema(schema, { text: said, subjects: variant, fallback }) as Record<string, unknown>;
    byArguments.set(JSON.stringify(args), { name: tool.function.name, arguments: args });
  }
  return [...byArguments.values()];
}

function speak({ tools, tool_choice: choice }: ChatRequest, said: string, since: ChatMessage[]): string {
  const reports = reportOutputs(since);
  if (reports.length > 0) return `${WHO} I asked your tools, and here is what they answered. ${reports.join(" ")}`;
  const quote =
    said.trim() === ""
      ? "You did not say anything that I can read."
      : `You said: "${shorten(said.trim(), MAX_QUOTE_CHARS)}".`;
  const names = choice === "none" ? [] : (tools ?? []).map((tool) => tool.function.name);
  const next =
    names.length > 0
      ? `I can call ${names.join(", ")}: mention in your next message what one of them is about, and I will.${names.includes("code_interpreter") ? TRY_CODE : ""}`
      : 'Next, add a get_weather function to the assistant and ask me about "the weather in Paris and London".';
  return `${WHO} ${quote} ${next} For real answers, set OPENAI_API_KEY or OPENAI_BASE_URL and start again.`;
}

/** One sentence for each tool output since the user spoke. */
function reportOutputs(since: ChatMessage[]): string[] {
  const calls = new Map(since.flatMap((message) => message.tool_calls ?? []).map((call) => [call.id, call.function]));
  return since
    .filter((message) => message.role === "tool")
    .map((message) => {
      const call = calls.get(message.tool_call_id ?? "");
      const passage = call?.name === "file_search" ? firstPassage(textOf(message)) : undefined;
      if (passage !== undefined) return `file_search found this first: ${passage}`;
      if (call?.name === "code_interpreter") {
        return shorten(reportCode(call.arguments, textOf(message).trim()), MAX_OUTPUT_CHARS);
      }
      return `${call?.name ?? "A tool"} with ${call?.arguments ?? "{}"} returned: ${withCitation(textOf(message))}`;
    });
}

/** What File Search says behind its first marker, and the marker behind that, as a model cites it. */
function firstPassage(output: string): string | undefined {
  const [, marker = "", passage = ""] = /(【[^】]{1,200}】)([^【]+)/.exec(output) ?? [];
  return passage.trim() === "" ? undefined : `"${shorten(passage.trim(), MAX_OUTPUT_CHARS)}"${marker}`;
}

/** Shortens the output of a tool, but never loses its first File Search marker, so that citations show in the demo. */
function withCitation(output: string): string {
  const shown = shorten(output.trim(), MAX_OUTPUT_CHARS);
  const marker = /【[^】]{1,200}】/.exec(output)?.[0];
  return marker === undefined || shown.includes(marker) ? shown : `${shown} ${marker}`;
}

function jsonAnswer(schema: Record<string, unknown> | undefined, said: string, since: ChatMessage[]): unknown {
  const reports = reportOutputs(since);
  const about = reports.length > 0 ? reports.join(" ") : `You said: ${shorten(said.trim(), MAX_QUOTE_CHARS)}`;
  const note = `Scripted demo model, not a real AI. ${about}`;
  if (!schema) return { model: "scripted demo model, not a real AI", answer: note };
  const hints: Hints = { text: said, subjects: [], fallback: note };
  return valueFromSchema(schema, hints);
}

function shorten(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : `${text.slice(0, maxChars)}…`;
}
