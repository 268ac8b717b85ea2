// No container engine runs in the tests, so what docker compose would notice late is looked at here: the form of the
// files, their settings against config.ts, and that each image holds what its program imports.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { parseEnv } from "node:util";
import { DCLinter } from "dclint";
import { parse } from "yaml";
import { Environment } from "../../config.ts";

interface Compose {
  services: Record<string, { environment?: Record<string, string>; depends_on?: object; volumes?: unknown[] }>;
}

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const COMPOSE_TEXT = read("docker-compose.yml");
const COMPOSE = parse(COMPOSE_TEXT, { merge: true }) as Compose;
/** Settings that mean something to `npm start` only. */
const EMBEDDED_ONLY = /^(EMBEDDED_|DATA_DIR$|TEMPORAL_CLI$)/;
/** Read by Temporal's and Amazon's own SDKs, and not by config.ts. */
const READ_BY_SDKS = ["TEMPORAL_NAMESPACE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

const settings = Object.keys(Environment.shape);

test("docker-compose.yml follows the compose specification", () => {
  const linter = new DCLinter({ rules: {}, quiet: false, debug: false, exclude: [] });
  const results = linter.lintFiles([join(ROOT, "docker-compose.yml")], false) as { messages: { rule: string }[] }[];
  const messages = results.flatMap((result) => result.messages);
  // The rest of what it says is a matter of taste.
  assert.deepEqual(
    messages.filter(({ rule }) => rule.startsWith("invalid-")),
    [],
  );
});

test("every service that another one waits for exists, and so does every file that is mounted", () => {
  for (const { depends_on = {}, volumes = [] } of Object.values(COMPOSE.services)) {
    for (const name of Object.keys(depends_on)) assert.ok(name in COMPOSE.services, name);
    for (const volume of volumes) {
      const file = typeof volume === "string" && volume.startsWith("./") ? volume.split(":")[0] : undefined;
      if (file !== undefined) assert.ok(existsSync(join(ROOT, file)), file);
    }
  }
});

test(".env.example has every setting with its default, and beside them only what docker-compose.yml asks for", () => {
  const example = parseEnv(read(".env.example"));
  const defaults = Object.entries(Environment.parse({})).map(([name, value]) => [name, String(value)]);
  const optional = settings.map((name) => [name, ""]);
  const asked = [...COMPOSE_TEXT.matchAll(/\$\{([A-Z0-9_]+)/g)].map(([, name]) => [name, ""]);
  assert.deepEqual(example, Object.fromEntries([...asked, ...optional, ...defaults]));
});

test("the containers are given settings that exist, and together all that are not for `npm start` only", () => {
  const given = ["api", "worker"].flatMap((name) => Object.keys(COMPOSE.services[name]?.environment ?? {}));
  const wanted = settings.filter((name) => !EMBEDDED_ONLY.test(name));
  assert.deepEqual([...new Set(given)].toSorted(), [...wanted, ...READ_BY_SDKS].toSorted());
});

for (const [image, programs] of [
  ["api", ["api/main.ts", "api-keys/main.ts", "db/migrate.ts"]],
  ["worker", ["worker/main.ts", "workflows/index.ts"]],
] as const) {
  test(`the ${image} image holds every file that its programs import`, () => {
    const copied = [...copiedInto("base"), ...copiedInto(image)];
    const missing = [...reachableFrom(programs)].filter(
      (file) => !copied.some((source) => file === source || file.startsWith(`${source}/`)),
    );
    assert.deepEqual(missing, []);
    const ignored = read(".dockerignore");
    for (const source of copied) assert.ok(ignored.includes(`\n!${source}\n`), `.dockerignore leaves out ${source}`);
  });
}

/** What a stage of the Dockerfile copies, without its last word, the destination. */
function copiedInto(stage: string): string[] {
  const body =
    read("Dockerfile")
      .split(new RegExp(`^FROM .* AS ${stage}$`, "m"))[1]
      ?.split(/^FROM /m)[0] ?? "";
  return [...body.matchAll(/^COPY (.+) \S+$/gm)].flatMap(([, sources = ""]) => sources.split(" "));
}

/** The files of ours that are loaded when the programs start: type-only imports are not. */
function reachableFrom(programs: readonly string[]): Set<string> {
  const found = new Set<string>(programs);
  for (const file of found) {
    for (const [, specifier = ""] of read(file).matchAll(/^(?:import|export) (?!type )[^;]*?"(\.[^"]+)";$/gm)) {
      found.add(join(dirname(file), specifier));
    }
  }
  return found;
}

function read(file: string): string {
  return readFileSync(join(ROOT, file), "utf8");
}
