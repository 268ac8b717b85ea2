// What code finds in a session, and what comes out of one: like a notebook.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { ISOLATIONS, openTestSandbox, output, run, whyNot } from "../test/support/sandbox.ts";
import type { TestSandbox } from "../test/support/sandbox.ts";
import type { CellEvent, SandboxSession } from "./driver.ts";

const PNG = "89504e470d0a1a0a";

for (const isolation of ISOLATIONS) {
  const missing = await whyNot(isolation);
  suite(isolation, { skip: missing ?? false }, () => sessions());

  function sessions(): void {
    let sandbox: TestSandbox;
    let session: SandboxSession;

    before(async () => {
      sandbox = await openTestSandbox(isolation, { warm: 2 });
      session = await sandbox.create();
    });
    after(() => sandbox?.close());

    test("variables stay from cell to cell, and the value of a last expression is shown", async () => {
      assert.equal(await output(session, "x = 20"), "");
      assert.equal(await output(session, "print('so:')\nx + 1"), "so:\n21\n");
      assert.equal(await output(session, "None"), "");
      assert.equal(await output(session, "x;"), "");
      assert.equal(await output(session, "_"), "21\n");
      assert.equal(await output(session, ""), "");
      assert.equal(await output(session, "# nothing"), "");
    });

    test("what failed is told by the lines of the code, and the session goes on", async () => {
      await output(session, "x = 20");
      const { done, stdout } = await run(session, "def divide(n):\n    return 1 / n\nprint('before')\ndivide(0)");
      assert.equal(stdout, "before\n");
      assert.equal(done.status, "error");
      assert.match(
        done.traceback ?? "",
        /^Traceback \(most recent call last\):\n {2}File "<cell \d+>", line 4, in <module>\n {4}divide\(0\)\n/,
      );
      assert.match(done.traceback ?? "", /return 1 \/ n\n[ ~^]*\nZeroDivisionError: division by zero\n$/);
      assert.doesNotMatch(done.traceback ?? "", /runner/);
      const wrong = await run(session, "if:\n  pass");
      assert.match(
        wrong.done.traceback ?? "",
        /^ {2}File "<cell \d+>", line 1\n {4}if:\n.*SyntaxError: invalid syntax/s,
      );
      assert.equal(await output(session, "x"), "20\n");
    });

    test("an error inside of an error shows both, without a line of ours", async () => {
      const { done } = await run(session, "try:\n  1/0\nexcept Exception as e:\n  raise KeyError('k') from e");
      assert.match(done.traceback ?? "", /ZeroDivisionError.*direct cause.*KeyError: 'k'/s);
      assert.doesNotMatch(done.traceback ?? "", /runner/);
    });

    test("an error of a library is told without where that is on this machine", async () => {
      const { done } = await run(
        session,
        "import json, pandas\ntry:\n  json.loads('?')\nexcept ValueError:\n  pandas.read_csv('none.csv')",
      );
      assert.match(done.traceback ?? "", /File "pandas\/io\/.*FileNotFoundError/s);
      assert.match(done.traceback ?? "", /File "python\/json\/decoder.py"/);
      assert.doesNotMatch(done.traceback ?? "", /File "\//);
    });

    test("an error that cannot be shown is an error all the same", async () => {
      const code = "class Bad(Exception):\n  def __str__(self): raise RuntimeError('no')\nraise Bad()";
      assert.match((await run(session, code)).done.traceback ?? "", /Bad/);
      const value = await run(session, "class Odd:\n  def __repr__(self): raise RuntimeError('no')\nOdd()");
      assert.match(value.done.traceback ?? "", /RuntimeError: no/);
    });

    test("leaving by exit() ends the cell, not the session", async () => {
      assert.equal((await run(session, "exit_code = 0\nraise SystemExit(exit_code)")).done.status, "ok");
      assert.equal((await run(session, "import sys; sys.exit('enough')")).done.traceback, "SystemExit: enough\n");
      assert.equal(await output(session, "exit_code"), "0\n");
    });

    test("a cell that takes too long is interrupted and keeps its variables", async () => {
      const { done, stdout } = await run(session, "kept = 1\nprint('begun')\nwhile True: kept += 1", 300);
      assert.equal(stdout, "begun\n");
      assert.deepEqual([done.status, done.loss], ["timeout", undefined]);
      assert.match(done.traceback ?? "", /KeyboardInterrupt/);
      assert.equal(await output(session, "kept > 1"), "True\n");
    });

    test("output comes while the cell runs, each stream by its name", async () => {
      const code = "import sys, time\nprint('one', flush=True)\nwhile True:\n  time.sleep(0.01)";
      const controller = new AbortController();
      const events: CellEvent[] = [];
      await assert.rejects(async () => {
        for await (const event of session.exec(code, { timeoutMs: 60_000, signal: controller.signal })) {
          events.push(event);
          controller.abort(new Error("Enough"));
        }
      }, /Enough/);
      assert.deepEqual(events, [{ type: "logs", stream: "stdout", text: "one\n" }]);
      const { stdout, stderr } = await run(
        session,
        "import os\nprint('out')\nprint('err', file=sys.stderr)\n_ = os.write(1, b'low')",
      );
      assert.deepEqual([stdout, stderr], ["out\nlow", "err\n"]);
    });

    test("what was aborted before it began is not run", async () => {
      const signal = AbortSignal.abort(new Error("Too late"));
      await assert.rejects(session.exec("aborted = 1", { timeoutMs: 1000, signal }).next(), /Too late/);
      assert.equal(await output(session, "'aborted' in globals()"), "False\n");
    });

    test("a reader that leaves interrupts the cell, and the next one finds the session ready", async () => {
      for await (const _ of session.exec("left = 1\nprint('x', flush=True)\nwhile True: left += 1", {
        timeoutMs: 60_000,
      }))
        break;
      assert.equal(await output(session, "left > 0"), "True\n");
    });

    test("cells that are asked for at once run one after the other", async () => {
      await output(session, "order = []");
      await Promise.all([1, 2, 3].map((n) => output(session, `order.append(${n})`)));
      assert.equal(await output(session, "order"), "[1, 2, 3]\n");
    });

    test("any text comes out as it is, and what is no text does not break anything", async () => {
      assert.equal(await output(session, "print('ä€😀\\u0000')"), "ä€😀\u0000\n");
      assert.equal(await output(session, "sys.stdout.buffer.write(b'a\\xff\\xfeb') and None"), "a\ufffd\ufffdb");
      assert.equal(await output(session, "print('a\\ud800b')"), "a\\ud800b\n");
    });

    test("top-level await works, and so does asyncio.run", async () => {
      const code = "import asyncio\nasync def f():\n  await asyncio.sleep(0.001)\n  return 7\n";
      assert.equal(await output(session, `${code}await f()`), "7\n");
      assert.equal(await output(session, "asyncio.run(f())"), "7\n");
    });

    test("classes can be pickled, modules in /mnt/data imported, files with a database opened", async () => {
      assert.equal(
        await output(session, "import pickle\nclass A: pass\ntype(pickle.loads(pickle.dumps(A()))).__name__"),
        "'A'\n",
      );
      await output(session, "with open('/mnt/data/session.py', 'w') as f: f.write('y = 5')");
      assert.equal(await output(session, "import session; session.y"), "5\n");
      const code =
        "import sqlite3\ndb = sqlite3.connect('/mnt/data/a.db')\n_ = db.execute('create table t (a)')\ndb.commit()\nimport os; os.path.exists('/mnt/data/a.db')";
      assert.equal(await output(session, code), "True\n");
    });

    test("/mnt/data has this name in code, in texts that are put together, in output and in tracebacks", async () => {
      const name = "data";
      const code = `import os, pathlib\nname = '${name}'\nwith open(f'/mnt/{name}/f.txt', 'w') if False else open(f'/mnt/data/{name}.txt', 'w') as f: _ = f.write('x')\nprint(os.getcwd(), pathlib.Path('/mnt/data') / 'a', os.path.exists('/mnt/data/data.txt'))`;
      assert.equal(await output(session, code), "/mnt/data /mnt/data/a True\n");
      const { done } = await run(session, "open('/mnt/data/none.txt')");
      assert.match(done.traceback ?? "", /No such file or directory: '\/mnt\/data\/none.txt'/);
    });

    test("figures that are open at the end of a cell come out as pictures, once", async () => {
      const { images, done } = await run(
        session,
        "import matplotlib.pyplot as plt\nfor n in range(2):\n  plt.figure(); plt.plot([1, n])",
      );
      assert.equal(done.status, "ok", done.traceback);
      assert.deepEqual(
        images.map((image) => Buffer.from(image).subarray(0, 8).toString("hex")),
        [PNG, PNG],
      );
      assert.equal((await run(session, "1")).images.length, 0);
      const shown = await run(session, "plt.plot([1, 2]); print('a'); plt.show(); print('b')");
      assert.deepEqual([shown.images.length, shown.stdout], [1, "a\nb\n"]);
    });

    test("figures, pictures and whatever knows how to be one are shown when they are the last value", async () => {
      assert.equal((await run(session, "fig, ax = plt.subplots(); fig")).images.length, 1);
      const picture = await run(session, "from PIL import Image; Image.new('RGB', (8, 8))");
      assert.deepEqual([picture.images.length, picture.stdout], [1, ""]);
      const frame = await run(session, "import pandas as pd; display(pd.DataFrame({'a': [1]}))");
      assert.equal(frame.stdout, "   a\n0  1\n");
    });

    test("too many pictures, and too large ones, are left out, and it says so", async () => {
      const many = await run(session, "for n in range(25): plt.figure(figsize=(1, 1))");
      assert.equal(many.images.length, 20);
      assert.match(many.stderr, /is not shown/);
      const small = await sandbox.create({ imageBytes: 1000 });
      const large = await run(small, "import matplotlib.pyplot as plt; plt.plot([1, 2]);");
      assert.equal(large.images.length, 0);
      assert.match(large.stderr, /is not shown/);
    });

    test("the usual libraries work", async () => {
      const code = `import numpy as np, scipy.stats, scipy.linalg, sklearn.linear_model, sympy, openpyxl, docx, pptx, pypdf, xlsxwriter, seaborn, tabulate
model = sklearn.linear_model.LinearRegression().fit(np.array([[1.0], [2.0], [3.0]]), np.array([2.0, 4.0, 6.0]))
pd.DataFrame({"a": [1, 2]}).to_excel("/mnt/data/t.xlsx", index=False)
print(round(float(model.predict(np.array([[4.0]]))[0]), 6), pd.read_excel("/mnt/data/t.xlsx").a.sum(), sympy.integrate(sympy.Symbol("x")), round(float(scipy.stats.norm.cdf(0)), 3))`;
      assert.equal(await output(session, code), "8.0 3 x**2/2 0.5\n");
    });

    test("files go in and come out whole, and are listed", async () => {
      const other = await sandbox.create();
      const content = Buffer.alloc(3_000_001, "abcdefg");
      await other.putFile("größe.bin", pieces(content));
      await other.putFile("empty", pieces(Buffer.alloc(0)));
      assert.equal(
        await output(other, "import hashlib; hashlib.sha256(open('/mnt/data/größe.bin', 'rb').read()).hexdigest()"),
        `'${await sha256(content)}'\n`,
      );
      await output(
        other,
        "with open('/mnt/data/out.csv', 'w') as f: _ = f.write('a,b')\nimport os; os.makedirs('/mnt/data/b/deep'); os.symlink('/mnt/data/b', '/mnt/data/link'); open('/mnt/data/b/deep/x', 'w').close(); open(b'/mnt/data/\\xff', 'w').close()",
      );
      await other.putFile("made/here.txt", pieces(Buffer.from("here")));
      const files = await other.listFiles();
      assert.deepEqual(files.map(({ name, bytes }) => [name, bytes]).toSorted(), [
        ["b/deep/x", 0],
        ["empty", 0],
        ["größe.bin", 3_000_001],
        ["made/here.txt", 4],
        ["out.csv", 3],
      ]);
      assert.ok(Buffer.concat(await all(other.getFile("größe.bin", 4_000_000))).equals(content));
      assert.deepEqual(await all(other.getFile("empty", 10)), []);
      assert.equal(Buffer.concat(await all(other.getFile("made/here.txt", 10))).toString(), "here");
      await other.destroy();
    });

    test("a file that is not there, too large or no name is refused, and the session goes on", async () => {
      await assert.rejects(all(session.getFile("nothing", 10)), { name: "FileRefused", code: "not_found" });
      for (const name of ["", ".", "..", "a/../b", "a//b", "/etc/passwd", "a\0b", "x".repeat(256), "\ud800"]) {
        assert.throws(() => session.getFile(name, 10), { name: "FileRefused", code: "bad_name" }, name);
        await assert.rejects(session.putFile(name, pieces(Buffer.from("x"))), {
          name: "FileRefused",
          code: "bad_name",
        });
      }
      const large = Buffer.alloc(40 * 2 ** 20);
      await assert.rejects(session.putFile("large", pieces(large)), { name: "FileRefused", code: "too_large" });
      assert.equal(
        await output(session, "import os; [n for n in os.listdir('/mnt/data') if 'large' in n or '.part' in n]"),
        "[]\n",
      );
    });

    test("a file whose source fails leaves the one that was there", async () => {
      await session.putFile("kept.txt", pieces(Buffer.from("old")));
      const failing = async function* () {
        yield Buffer.from("new");
        throw new Error("The source is gone");
      };
      await assert.rejects(session.putFile("kept.txt", failing()), /The source is gone/);
      assert.equal(Buffer.concat(await all(session.getFile("kept.txt", 10))).toString(), "old");
    });

    test("a reader that leaves in the middle of a file does not harm the next request", async () => {
      await session.putFile("long", pieces(Buffer.alloc(2_000_000, "x")));
      for await (const _ of session.getFile("long", 2_000_000)) break;
      assert.equal(await output(session, "'still here'"), "'still here'\n");
    });
  }
}

async function* pieces(content: Buffer): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < content.length; start += 500_000) yield content.subarray(start, start + 500_000);
}

async function all(content: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = [];
  for await (const part of content) parts.push(part);
  return parts;
}

async function sha256(content: Buffer): Promise<string> {
  return Buffer.from(await crypto.subtle.digest("SHA-256", new Uint8Array(content))).toString("hex");
}
