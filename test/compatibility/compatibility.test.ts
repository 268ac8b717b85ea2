// docs/compatibility.md tells the truth: it is what the code says of itself now, and nothing is missing that should be there.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, test } from "node:test";
import { walkSchema } from "../contract/schema-fields.ts";
import { REQUESTS, RESPONSES } from "../contract/schemas.ts";
import { ENDPOINTS, PARTS_TO_COME } from "./endpoints.ts";
import { NOTES } from "./notes.ts";
import { COMPATIBILITY_PAGE, compatibilityPage, toTemplate } from "./page.ts";
import type { Route } from "./page.ts";
import { readRoutes } from "./routes.ts";

/** What this server has besides the endpoints of the original. */
const OWN_PATHS = ["/v1/threads/{thread_id}/runs/{run_id}/events"];

let routes: Route[];
before(async () => {
  routes = await readRoutes();
});

test("the page is up to date: `npm run docs:compatibility` would not change it", () => {
  assert.equal(readFileSync(COMPATIBILITY_PAGE, "utf8"), compatibilityPage(routes));
});

test("every route is an endpoint of the original or an extension", () => {
  const known = new Set([
    ...ENDPOINTS.map(({ method, path }) => `${method} /v1${path}`),
    ...OWN_PATHS.map((path) => `GET ${path}`),
  ]);
  const unknown = routes
    .filter(({ url }) => url.startsWith("/v1/"))
    .map(({ method, url }) => `${method} ${toTemplate(url)}`)
    .filter((route) => !known.has(route));
  assert.deepEqual(unknown, []);
});

test("every remark is about a field that there is", () => {
  const paths = [
    ...Object.entries(REQUESTS).flatMap(([name, schema]) => pathsOf(name, schema, "input")),
    ...Object.entries(RESPONSES).flatMap(([name, schema]) => pathsOf(name, schema, "output")),
  ];
  const unknown = NOTES.map(({ field }) => field).filter((field) => !paths.includes(field));
  assert.deepEqual(unknown, []);
});

test("no part is still to come", () => assert.deepEqual(PARTS_TO_COME, []));

function pathsOf(name: string, schema: Parameters<typeof walkSchema>[0], side: "input" | "output"): string[] {
  return [...walkSchema(schema, side).paths].map((path) => `${name}.${path}`);
}
