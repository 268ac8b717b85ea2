import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { findTemporalCli } from "./temporal-cli.ts";
import { downloadTemporalCli } from "./temporal-cli-sources.ts";

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "temporal-cli-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Puts a program that names this version into a new folder below `parent`, which it returns. */
function installCli(parent: string, folder: string, version: string): string {
  mkdirSync(join(parent, folder));
  writeFileSync(join(parent, folder, "temporal"), `#!/bin/sh\necho "temporal version ${version}"\n`, { mode: 0o755 });
  return join(parent, folder);
}

const OLD = "1.2.0 (Server 1.26.2, UI 2.34.0)";
const GOOD = "1.5.1 (Server 1.29.1, UI 2.42.1)";
const BUILT_WITH_GO = "0.0.0-DEV (Server 1.29.1, UI 2.42.1)";
const none = { sources: [], say: () => undefined };

test("a CLI that is too old is passed over, and that is said", async (t) => {
  const folder = temporaryFolder(t);
  const searchPath = [installCli(folder, "old", OLD), installCli(folder, "good", GOOD)];
  const said: string[] = [];
  const cli = await findTemporalCli({ ...none, searchPath, cacheDir: folder, say: (line) => said.push(line) });
  assert.equal(cli, join(folder, "good", "temporal"));
  assert.match(said.join("\n"), /old\/temporal is too old \(it has server 1\.26\.2\)/);
});

test("a CLI in the cache is found, and one built with Go is judged by its server", async (t) => {
  const cacheDir = installCli(temporaryFolder(t), "cache", BUILT_WITH_GO);
  assert.equal(await findTemporalCli({ ...none, searchPath: [], cacheDir }), join(cacheDir, "temporal"));
});

test("a configured path is used or refused, never passed over", async (t) => {
  const folder = temporaryFolder(t);
  const searchPath = [installCli(folder, "good", GOOD)];
  const old = join(installCli(folder, "old", OLD), "temporal");
  await assert.rejects(findTemporalCli({ ...none, searchPath, configured: old }), /TEMPORAL_CLI is .*too old/);
  await assert.rejects(findTemporalCli({ ...none, searchPath, configured: "/no/such" }), /not a Temporal CLI/);
});

test("when every way fails, each is named and what to do is told", async (t) => {
  const folder = temporaryFolder(t);
  const sources = [() => Promise.reject(new Error("No internet.")), () => Promise.reject(new Error("No Go."))];
  await assert.rejects(findTemporalCli({ ...none, searchPath: [], cacheDir: folder, sources }), {
    name: "CannotStart",
    message: /- No internet\.\n.*- No Go\.\n.*TEMPORAL_CLI.*TEMPORAL_ADDRESS/s,
  });
});

/** A stand-in for Temporal's download service. */
async function serve(t: TestContext, archive: Buffer): Promise<string> {
  const server = createServer((request, response) => {
    const info = { archiveUrl: `${url}/cli.tar.gz`, fileToExtract: "temporal" };
    response.end(request.url?.startsWith("/cli/default?arch=") ? JSON.stringify(info) : archive);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return url;
}

test("a downloaded CLI lands in the cache, ready to run", async (t) => {
  const folder = temporaryFolder(t);
  installCli(folder, "release", GOOD);
  execFileSync("tar", ["-czf", join(folder, "cli.tar.gz"), "-C", join(folder, "release"), "temporal"]);
  const downloadService = await serve(t, readFileSync(join(folder, "cli.tar.gz")));
  const cacheDir = join(folder, "cache");
  const cli = await downloadTemporalCli({ cacheDir, say: () => undefined, downloadService });
  assert.match(execFileSync(cli, { encoding: "utf8" }), /Server 1\.29\.1/);
  assert.deepEqual(readdirSync(cacheDir), ["temporal"]);
});

test("a download that breaks off leaves nothing in the cache", async (t) => {
  const cacheDir = temporaryFolder(t);
  const downloadService = await serve(t, Buffer.from("not an archive"));
  await assert.rejects(
    downloadTemporalCli({ cacheDir, say: () => undefined, downloadService }),
    /The download from .* failed/,
  );
  assert.deepEqual(readdirSync(cacheDir), []);
});
