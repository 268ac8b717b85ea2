// docs/compatibility.md, made from what the code says of itself: its routes, its schemas, and the rows of the contract.
import { join } from "node:path";
import { routeRows, lifeRows } from "../contract/all-rows.ts";
import { walkSchema } from "../contract/schema-fields.ts";
import { REQUESTS, RESPONSES } from "../contract/schemas.ts";
import { ENDPOINTS, PARTS_TO_COME } from "./endpoints.ts";
import type { Endpoint } from "./endpoints.ts";
import { CHOICES, EXTENSIONS, NOTES } from "./notes.ts";
import type { Note } from "./notes.ts";

/** A route of the app, as `{ method: "GET", url: "/v1/threads/:thread_id", version: "v2" }`. */
export interface Route {
  method: string;
  url: string;
  /** Undefined when the route is for both versions. */
  version: string | undefined;
}

export const COMPATIBILITY_PAGE = join(import.meta.dirname, "../../docs/compatibility.md");

const rows = [...routeRows, ...lifeRows];

export function compatibilityPage(routes: readonly Route[]): string {
  const sections = [introduction(), endpoints(routes), fields(), rules(), choices(), extensions()];
  return `${sections.join("\n\n")}\n`;
}

function introduction(): string {
  const count = (kind: string) => rows.filter((row) => row.kind === kind).length;
  return `# Compatibility

How far this server is OpenAI's Assistants API, endpoint by endpoint and field by field. \`npm run docs:compatibility\` makes this page from the routes, the schemas and the tests; a test fails when it is not up to date.

[contract.md](contract.md) holds the facts that the server is held to. Each is a row of \`test/contract/\`, and every row is tried on a server in every \`npm test\`: **${rows.length} rows**, of them ${count("request")} about what clients send, ${count("response")} about what they read, ${count("rule")} about behaviour and ${count("error")} about refusals. A test fails when a field of a schema has no row, or a row no field.

Two more pieces of evidence: [sdk-matrix.md](sdk-matrix.md) holds SDKs of four years against the server, and \`npm run fuzz\` sends it what no SDK would.

Nothing of it is missing. [code-interpreter.md](code-interpreter.md) and [file-search.md](file-search.md) say what the two tools do.`;
}

function endpoints(routes: readonly Route[]): string {
  const lines = ENDPOINTS.map((endpoint) => {
    const state = (version: "v1" | "v2") => stateOf(endpoint, version, routes);
    return `| ${endpoint.method} | \`${endpoint.path}\` | ${state("v2")} | ${state("v1")} |`;
  });
  return `## Endpoints

Below \`/v1\`. The header \`OpenAI-Beta\` of each call says which version of the API it speaks; both see the same objects.

| | path | version 2 | version 1 |
| --- | --- | --- | --- |
${lines.join("\n")}

A dash: this version of the API never had it, and answers 404.`;
}

/** Throws when an endpoint is missing that is not of a part to come. */
function stateOf({ method, path, versions }: Endpoint, version: "v1" | "v2", routes: readonly Route[]): string {
  if (!versions.includes(version)) return "–";
  const isThere = routes.some(
    (route) =>
      route.method === method &&
      toTemplate(route.url) === `/v1${path}` &&
      (route.version === undefined || route.version === version),
  );
  if (isThere) return "✓";
  if (PARTS_TO_COME.some((part) => path.startsWith(part))) return "not yet";
  throw new Error(`${method} ${path} is not there in ${version}`);
}

/** `/v1/threads/:thread_id` as `/v1/threads/{thread_id}`. */
export function toTemplate(url: string): string {
  return url.replace(/:(\w+)/g, "{$1}").replace("*", "{model}");
}

function fields(): string {
  const requests = Object.entries(REQUESTS).map(([name, schema]) =>
    fieldTable(name, [...walkSchema(schema, "input").paths]),
  );
  const answers = Object.entries(RESPONSES).map(([name, schema]) =>
    fieldTable(name, [...walkSchema(schema, "output").paths]),
  );
  return `## What clients send

Without a remark a field is exactly as it was. Every optional field may also be null, which means the same as leaving it out; in a modification it clears the field.

${requests.join("\n\n")}

## What clients read

${answers.join("\n\n")}

In version 1 the same objects are shown in its own words: \`retrieval\` for file search, \`file_ids\` on assistants, messages and runs, \`quote\` in citations, usage of three numbers, \`completed\` for \`incomplete\`; what it had no word for is left out. [contract.md](contract.md), section 6, has them all, and \`api/v1.test.ts\` tries them.`;
}

function fieldTable(schema: string, paths: readonly string[]): string {
  const lines = paths.map((path) => {
    const note = NOTES.find(({ field }) => field === `${schema}.${path}`);
    return `| \`${path}\` | ${describe(schema, path)} | ${note === undefined ? "" : remark(note)} |`;
  });
  return `### ${schema}\n\n| field | | |\n| --- | --- | --- |\n${lines.join("\n")}`;
}

function remark({ state, why }: Note): string {
  return `**${state}**: ${why}`;
}

/** What the rows say of a field. */
function describe(schema: string, path: string): string {
  const covering = rows.filter((row) => row.covers?.some((field) => field.schema === schema && field.path === path));
  const titles = covering.map(({ title }) => title.replaceAll("|", "\\|"));
  return [...new Set(titles)].join("; ");
}

function rules(): string {
  const lines = rows
    .filter(({ kind }) => kind === "rule" || kind === "error")
    .map(({ id, title, source }) => `| \`${id}\` | ${title.replaceAll("|", "\\|")} | ${source} |`);
  return `## Rules and refusals

With the section of [contract.md](contract.md) that says so.

| row | | section |
| --- | --- | --- |
${lines.join("\n")}`;
}

function choices(): string {
  const known = new Set(rows.map(({ id }) => id));
  const lines = CHOICES.map(({ matter, choice, rows: shownBy }) => {
    for (const id of shownBy) if (!known.has(id)) throw new Error(`there is no row ${id}`);
    return `| ${matter} | ${choice} | ${shownBy.map((id) => `\`${id}\``).join(", ")} |`;
  });
  return `## Where OpenAI's documents leave a choice

| matter | here | rows |
| --- | --- | --- |
${lines.join("\n")}

Section 8 of [contract.md](contract.md) lists every such matter with its reasons.`;
}

function extensions(): string {
  const lines = EXTENSIONS.map(({ what, seen }) => `| ${what} | ${seen} |`);
  return `## Extensions

What OpenAI's API never had. A client that does not ask for one does not meet it; [extensions.md](extensions.md) explains them.

| extension | how to see it |
| --- | --- |
${lines.join("\n")}`;
}
