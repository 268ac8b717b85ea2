// The environment of Python is there as a whole or not at all, whoever makes it and whatever happens meanwhile.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { waitUntil } from "../test/support/wait-until.ts";
import { findEnvironment, findPython, makeEnvironment, REQUIREMENTS } from "./python-environment.ts";
import type { Making } from "./python-environment.ts";

const machine = await findPython().catch(() => undefined);

suite(
  "the environment",
  { skip: machine === undefined && "this machine has no python3 of version 3.10 or newer" },
  () => {
    let folder: string;
    let making: Making;
    let requirements: string;

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), "environment-"));
      // One small library of those that are really pinned.
      const pinned = /^tabulate==.*\n( {4}--hash.*\n)+/m.exec(await readFile(REQUIREMENTS, "utf8"))?.[0];
      requirements = join(folder, "requirements.txt");
      await writeFile(requirements, `${pinned?.trim().replace(/\\$/, "")}\n`);
      making = { folder: join(folder, "made"), requirements, tryOut: "import tabulate", say: () => {} };
    });
    after(() => rm(folder, { recursive: true, force: true }));

    const entries = async () => (await readdir(making.folder)).toSorted();

    test("one that was killed half way is no harm, and two at once make one", async () => {
      const options = JSON.stringify({ folder: making.folder, requirements, tryOut: making.tryOut });
      const program = `
      import { makeEnvironment } from ${JSON.stringify(join(import.meta.dirname, "python-environment.ts"))};
      await makeEnvironment({ ...${options}, say: (line) => console.log(line) });`;
      const child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", program], { detached: true });
      await once(child.stdout, "data");
      await waitUntil("it has begun", async () => (await entries()).length > 0);
      process.kill(-(child.pid ?? 0), "SIGKILL");
      await once(child, "close");
      await assert.rejects(findEnvironment(making.folder, requirements), /npm run sandbox:setup/);

      const [one, other] = await Promise.all([makeEnvironment(making), makeEnvironment(making)]);
      const found = await findEnvironment(making.folder, requirements);
      assert.ok(found === one || found === other);
      const said: string[] = [];
      assert.equal(await makeEnvironment({ ...making, say: (line) => said.push(line) }), found);
      assert.deepEqual(said, [], "nothing is made again");
    });

    test("a library that is not the pinned one is refused, and nothing is left", async () => {
      const wrong = join(folder, "wrong.txt");
      await writeFile(
        wrong,
        (await readFile(requirements, "utf8")).replaceAll(/sha256:[0-9a-f]{64}/g, `sha256:${"0".repeat(64)}`),
      );
      const before = await entries();
      await assert.rejects(makeEnvironment({ ...making, requirements: wrong }), (error: Error) => {
        assert.equal(error.name, "SandboxUnavailable");
        assert.match(error.message, /Libraries could not be installed: .*DO NOT MATCH THE HASHES/s);
        return true;
      });
      assert.deepEqual(await entries(), before);
    });

    test("a library that does not load is noticed, and nothing is left", async () => {
      const other = join(folder, "other.txt");
      await writeFile(other, `# other\n${await readFile(requirements, "utf8")}`);
      const before = await entries();
      await assert.rejects(makeEnvironment({ ...making, requirements: other, tryOut: "import nothing_of_this_name" }));
      assert.deepEqual(await entries(), before);
    });

    test("a Python without venv is told apart from none", async () => {
      const python = join(folder, "python-without-venv");
      await writeFile(
        python,
        `#!/bin/sh\n[ "$2" = -c ] && echo 3.99 && exit\necho ensurepip is not available\nexit 1\n`,
        { mode: 0o755 },
      );
      await assert.rejects(makeEnvironment({ ...making, commands: [python] }), (error: Error) => {
        assert.equal(error.name, "SandboxUnavailable");
        assert.match(error.message, /apt install python3-venv.*ensurepip is not available/s);
        return true;
      });
      await assert.rejects(findPython(["/nonexistent/python"]), /no Python 3.10 or newer/);
    });
  },
);
