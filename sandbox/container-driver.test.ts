// Containers as sessions have them: ready before anybody asks, for one session each, gone with it and with the server, however that
// ends, and not used at all when their walls have a hole. With gVisor itself, and with a container engine where there is one.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import Docker from "dockerode";
import { findRunsc } from "../test/support/runsc.ts";
import {
  openTestSandbox,
  output,
  processesOf,
  run,
  sessionProcessesOf,
  SMALL,
  testPython,
  untilGone,
  whyNot,
} from "../test/support/sandbox.ts";
import type { TestSandbox } from "../test/support/sandbox.ts";
import { waitUntil } from "../test/support/wait-until.ts";
import { ContainerDriver } from "./container-driver.ts";
import { openDocker } from "./containers/docker-engine.ts";
import { openRunsc } from "./containers/runsc-engine.ts";

const STUBBORN =
  "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nopen('/mnt/data/a', 'w').close()\nprint('working', flush=True)\nwhile True: pass";
const START_MS = 60_000;

suite("gVisor without a container engine", { skip: (await whyNot("gvisor")) ?? false }, () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "sandbox-containers-"));
    await chmod(folder, 0o711);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test("the trial says that it is gVisor, and closing leaves no process and no file", async () => {
    const sandbox = await openTestSandbox("gvisor", { preload: [], warm: 1 });
    assert.deepEqual(await sandbox.driver.probe(), { ok: true, isolation: "gvisor" });
    await output(await sandbox.create(), "open('/mnt/data/a', 'w').close()");
    const pids = await processesOf(sandbox.folder);
    assert.ok(pids.length >= 2);
    await sandbox.driver.close();
    await untilGone(pids);
    assert.deepEqual(await readdir(sandbox.folder), []);
    await sandbox.close();
  });

  test("a container that waits is taken, serves one session, and another takes its place", async () => {
    const sandbox = await openTestSandbox("gvisor", { preload: [], warm: 1 });
    await sandbox.driver.probe();
    const count = (expected: number) =>
      waitUntil(`there are ${expected} containers`, async () => (await living(sandbox)) === expected, START_MS);
    await count(1);
    const [waiting] = await sessionProcessesOf(sandbox);
    const first = await sandbox.create();
    await output(first, "mine = 1");
    await count(2);
    await first.destroy();
    await count(1);
    assert.ok(!(await sessionProcessesOf(sandbox)).includes(waiting ?? 0), "the one that waited has served");
    const second = await sandbox.create();
    assert.equal(await output(second, "'mine' in globals()"), "False\n");
    await sandbox.close();
  });

  test("one that dies while it waits is nobody's loss, and other bounds are no reason for a session not to begin", async () => {
    const sandbox = await openTestSandbox("gvisor", { preload: [], warm: 1 });
    await sandbox.driver.probe();
    const [waiting = 0] = await waitUntil("one waits", async () => {
      const pids = await sessionProcessesOf(sandbox);
      return pids.length === 1 && pids;
    });
    process.kill(waiting, "SIGKILL");
    await untilGone([waiting]);
    assert.equal(await output(await sandbox.create(), "1 + 1"), "2\n");
    assert.equal(await output(await sandbox.create({ maxFiles: 100 }), "1 + 1"), "2\n");
    await sandbox.close();
  });

  for (const alone of [false, true]) {
    const what = alone
      ? "and so are the processes that watch over its containers"
      : "with containers at work and at rest";
    test(`when the server is killed, ${what}, nothing of them is left when the next one has started`, async () => {
      const sessions = join(folder, `sessions-${alone}`);
      const server = await startServer(sessions);
      const pids = await processesOf(sessions);
      assert.ok(pids.length >= 3, `${pids.length}`);
      if (alone) for (const pid of await watchersIn(pids)) process.kill(pid, "SIGKILL");
      server.kill("SIGKILL");
      await untilGone(pids);
      assert.ok((await readdir(sessions)).length > 0, "it had no time to remove anything");
      const next = await driverFor(sessions);
      assert.equal((await next.probe()).ok, true);
      const left = await readdir(sessions);
      assert.equal(left.length, 1);
      assert.match(left[0] ?? "", new RegExp(`^driver-${process.pid}-`));
      await next.close();
      assert.deepEqual(await readdir(sessions), []);
      assert.deepEqual(await cgroupsOf(server.pid ?? 0), []);
    });
  }

  const holes: Record<string, [change: string, told: RegExp]> = {
    "its code is root": [`s/"uid":65532,"gid":65532}/"uid":0,"gid":0}/`, /it runs as root/],
    "it has capabilities": [
      `s/"capabilities":{}/"capabilities":{"bounding":["CAP_SYS_CHROOT"],"effective":["CAP_SYS_CHROOT"],"permitted":["CAP_SYS_CHROOT"],"inheritable":["CAP_SYS_CHROOT"],"ambient":["CAP_SYS_CHROOT"]}/`,
      /it has capabilities/,
    ],
    "its code may gain privileges": [`s/"noNewPrivileges":true/"noNewPrivileges":false/`, /it may gain privileges/],
    "its file tree can be written": [`s/"readonly":true/"readonly":false/`, /it can write to \//],
    "it shows files of the server": [
      `s#"destination":"/usr/lib64"#"destination":"FOLDER"#; s#"source":"/usr/lib64"#"source":"FOLDER"#`,
      /read a file of the server/,
    ],
  };
  for (const [what, [change, told]] of Object.entries(holes)) {
    test(`no code is run in a container when ${what}`, async () => {
      const sessions = join(folder, "holes");
      const runsc = await alteredRunsc(folder, change.replaceAll("FOLDER", sessions));
      const driver = await driverFor(sessions, runsc);
      const probe = await driver.probe();
      assert.match(probe.ok ? "" : probe.missing.join(), told);
      await assert.rejects(driver.create({ sessionId: "a", limits: SMALL }), { name: "SandboxUnavailable" });
      await driver.close();
    });
  }

  test("without a runsc that starts, no code is run, and it says why", async () => {
    const driver = await driverFor(join(folder, "none"), "/nonexistent/runsc");
    const probe = await driver.probe();
    assert.match(probe.ok ? "" : probe.missing.join(), /gVisor's runsc cannot be started/);
    assert.deepEqual(await readdir(join(folder, "none")), []);
  });
});

const IMAGE = process.env["CODE_INTERPRETER_IMAGE"] ?? "durable-assistants-sandbox";

for (const runtime of ["runsc", "runc"]) {
  suite(`a container engine with ${runtime}`, { skip: (await whyNoEngine(runtime)) ?? false }, () => {
    let driver: ContainerDriver;
    let folder: string;
    const docker = new Docker();
    const mine = () => docker.listContainers({ all: true, filters: { label: ["durable-assistants.sandbox.owner"] } });

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "sandbox-docker-"));
      driver = dockerDriver(folder, runtime);
    });
    after(async () => {
      await driver.close();
      await rm(folder, { recursive: true, force: true });
    });

    test("the trial says whose kernel it is", async () => {
      const isolation = runtime === "runsc" ? "gvisor" : "container";
      assert.deepEqual(await driver.probe(), { ok: true, isolation });
    });

    test("a session keeps its variables and bounds, and its container goes with it", async () => {
      const session = await driver.create({ sessionId: "a", limits: SMALL });
      assert.equal(await output(session, "x = 20; x + 1"), "21\n");
      assert.equal(await output(session, "x"), "20\n");
      const stopped = await run(session, "while True: pass", 300);
      assert.deepEqual([stopped.done.status, stopped.done.loss], ["timeout", undefined]);
      const { done } = await run(session, "for n in range(400): open(f'/tmp/{n}', 'w')\nimport time; time.sleep(20)");
      assert.deepEqual([done.status, done.loss], ["lost", "files"]);
      await session.destroy();
      assert.deepEqual(await mine(), []);
    });

    test("output without end is not kept in the server", async () => {
      const session = await driver.create({ sessionId: "b", limits: SMALL });
      const code =
        'import os\nline = b\'{"type":"logs","id":999,"stream":"stdout","text":"\' + b\'x\' * 200_000 + b\'"}\\n\'\nfor _ in range(1000):\n  view = memoryview(line)\n  while view: view = view[os.write(3, view):]';
      const { done } = await run(session, code);
      assert.deepEqual([done.status, done.loss], ["lost", "protocol"]);
    });

    test("when the server is killed, its containers end and are removed", async () => {
      const server = await startServer(folder, runtime);
      assert.equal((await mine()).length, 2);
      server.kill("SIGKILL");
      await waitUntil("they are gone", async () => (await mine()).length === 0, START_MS);
    });
  });
}

async function whyNoEngine(runtime: string): Promise<string | undefined> {
  try {
    await openDocker({ image: IMAGE, runtime });
    const { Runtimes } = (await new Docker().info()) as { Runtimes?: Record<string, unknown> };
    return Runtimes?.[runtime] === undefined ? `the engine has no runtime ${runtime}` : undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function dockerDriver(folder: string, runtime: string): ContainerDriver {
  const engines = [() => openDocker({ image: IMAGE, runtime })];
  return new ContainerDriver({ engines, folder, maxSessions: 4, warm: 0, limits: SMALL });
}

async function driverFor(sessions: string, runsc?: string): Promise<ContainerDriver> {
  const found = await findRunsc();
  const program = runsc ?? ("runsc" in found ? found.runsc : "runsc");
  const python = await testPython();
  const engine = (folder: string) => openRunsc({ runsc: program, python, folder, cgroups: false, preload: [] });
  return new ContainerDriver({ engines: [engine], folder: sessions, maxSessions: 4, warm: 0, limits: SMALL });
}

async function living(sandbox: TestSandbox): Promise<number> {
  return (await sessionProcessesOf(sandbox)).length;
}

/** A process with a driver, one session that works and one that rests. */
async function startServer(sessions: string, runtime?: string) {
  const found = await findRunsc();
  const here = (name: string) => JSON.stringify(join(import.meta.dirname, name));
  const open =
    runtime === undefined
      ? `openRunsc({ runsc: ${JSON.stringify("runsc" in found && found.runsc)}, python: ${JSON.stringify(await testPython())}, folder, cgroups, preload: [] })`
      : `openDocker({ image: ${JSON.stringify(IMAGE)}, runtime: ${JSON.stringify(runtime)} })`;
  const program = `
    import { ContainerDriver } from ${here("container-driver.ts")};
    import { openDocker } from ${here("containers/docker-engine.ts")};
    import { openRunsc } from ${here("containers/runsc-engine.ts")};
    const limits = ${JSON.stringify(SMALL)};
    const engines = [true, false].map((cgroups) => (folder) => ${open});
    const driver = new ContainerDriver({ engines, folder: ${JSON.stringify(sessions)}, maxSessions: 4, warm: 0, limits });
    const resting = await driver.create({ sessionId: "resting", limits });
    const session = await driver.create({ sessionId: "working", limits });
    for await (const event of session.exec(${JSON.stringify(STUBBORN)}, { timeoutMs: 600_000 })) console.log(event.text);`;
  const server = spawn(process.execPath, ["--input-type=module-typescript", "--eval", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(server.stdout, "data");
  return server;
}

/** Those that wait for the end of a container: `runsc run`. */
async function watchersIn(pids: readonly number[]): Promise<number[]> {
  const commands = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
  return pids.filter((_, index) => commands[index]?.includes("\0run\0") === true);
}

async function cgroupsOf(pid: number): Promise<string[]> {
  const kinds = await readdir("/sys/fs/cgroup").catch(() => []);
  const found = await Promise.all(kinds.map((kind) => readdir(join("/sys/fs/cgroup", kind)).catch(() => [])));
  return found.flat().filter((name) => name.startsWith(`durable-assistants-${pid}-`));
}

/** A runsc that is told something else than the driver wants. */
async function alteredRunsc(folder: string, change: string): Promise<string> {
  const found = await findRunsc();
  assert.ok("runsc" in found);
  const script = join(await mkdtemp(join(folder, "runsc-")), "runsc");
  const lines = [
    "#!/bin/sh",
    `if [ -f config.json ]; then sed -i '${change}' config.json; fi`,
    `exec ${found.runsc} "$@"`,
  ];
  await writeFile(script, `${lines.join("\n")}\n`, { mode: 0o755 });
  return script;
}
