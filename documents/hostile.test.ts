// Documents that are made to do harm. Whatever they are, the process that asked for them goes on as before.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { suite, test } from "node:test";
import { promisify } from "node:util";
import { deflateSync } from "node:zlib";
import { docx, pdf, pptx, slideText, wordParagraph } from "../test/support/office-files.ts";
import { openChunks, readAll, readText, withFile } from "../test/support/read-document.ts";
import type { Reading } from "../test/support/read-document.ts";
import { waitUntil } from "../test/support/wait-until.ts";
import { zip } from "../test/support/zip.ts";
import { PARSER_LIMITS } from "./parser-child.ts";
import { parserCommand } from "./parser-process.ts";

const MIB = 2 ** 20;
/** The bombs below come to gigabytes; what remains here is garbage of the test itself. */
const MAX_GROWTH = 128 * MIB;
const SPACES = Buffer.alloc(64 * MIB, " ");

suite("archives", () => {
  test("one that inflates without end is refused", async () => {
    const parts = Array.from({ length: 12 }, (_, n) => ({ name: `word/bomb${n}.xml`, content: SPACES }));
    await refuses("a.docx", docx(wordParagraph("x"), parts), "it inflates to more than 512 MiB");
  });

  test("one that hides how large its parts are is refused", async () => {
    const part = { name: "word/styles.xml", content: SPACES, claimedSize: 10 };
    await refuses("a.docx", docx(wordParagraph("x"), [part]), "it is damaged");
  });

  test("one of very many files is refused", async () => {
    const parts = Array.from({ length: 30_000 }, (_, n) => ({ name: `${n}`, content: "" }));
    await refuses("a.pptx", zip(parts), "it is an archive of more than 20,000 files");
  });

  test("one that is cut off, or has a password, is refused", async () => {
    await refuses("a.docx", docx(wordParagraph("x")).subarray(0, -30), "it is damaged");
    const locked = { name: "[Content_Types].xml", content: "x", encrypted: true };
    await refuses("a.docx", zip([locked]), "it is protected by a password");
    const office = Buffer.concat([
      Buffer.from("d0cf11e0a1b11ae1", "hex"),
      Buffer.alloc(600),
      Buffer.from("EncryptedPackage", "utf16le"),
    ]);
    await refuses("a.docx", office, "it is protected by a password");
  });

  test("a Word file of the old kind that makes no sense is refused", async () => {
    const office = Buffer.concat([
      Buffer.from("d0cf11e0a1b11ae1", "hex"),
      Buffer.alloc(600, 7),
      Buffer.from("WordDocument", "utf16le"),
    ]);
    // The library follows a chain of blocks that never ends.
    await refuses("a.doc", office, "that takes too", { limits: { heapMiB: 128, cpuSeconds: 20 } });
  });
});

suite("XML and HTML", () => {
  const laughs = `<!DOCTYPE lolz [<!ENTITY a "ha">${Array.from("bcdefghij", (name, n) => `<!ENTITY ${name} "${`&${"abcdefghi"[n]};`.repeat(10)}">`).join("")}]>`;

  test("entities that multiply are refused in Word and PowerPoint files", async () => {
    const parts = [{ name: "word/styles.xml", content: `${laughs}<a>&j;</a>` }];
    await refuses("a.docx", docx(wordParagraph("x"), parts), "declares a document type");
    const slides = pptx([{ file: 1, shapes: slideText("x").replace("x", "&j;") }]);
    await refuses("a.pptx", slides, "it is damaged");
  });

  test("elements in elements in elements are refused", async () => {
    const depth = 200_000;
    await refuses("a.html", "<div>".repeat(depth), "nested more than 10,000 deep");
    await refuses("a.pptx", pptx([{ file: 1, shapes: "<p:sp>".repeat(depth) }]), "nested more than 10000 deep");
    await refuses(
      "a.docx",
      docx("<w:sdt><w:sdtContent>".repeat(depth) + "</w:sdtContent></w:sdt>".repeat(depth)),
      "nested too deep",
    );
  });

  test("XML that is not well-formed is refused", async () => {
    await refuses("a.pptx", pptx([{ file: 1, shapes: "<p:sp><a:p></p:sp>" }]), "it is damaged");
  });
});

suite("PDF", () => {
  test("noise behind a PDF's beginning is refused", async () => {
    await refuses("a.pdf", `%PDF-1.7\n${"\u0007x9".repeat(5000)}`, "it is damaged");
  });

  test("a PDF that is cut off is read as far as it goes, or refused", async () => {
    const file = await pdf((page) => page.text("Hello"));
    for (const share of [0.3, 0.6, 0.9]) {
      const text = await readText("a.pdf", file.subarray(0, file.length * share)).catch(
        (error: Error) => error.message,
      );
      assert.match(text, /Hello|could not be parsed/);
    }
  });

  test("a page that is its own parent is refused", async () => {
    await refuses("a.pdf", rawPdf("<</Type/Pages/Kids[2 0 R]/Count 1/Parent 2 0 R>>", Buffer.from("")), "");
  });

  test("a page whose drawing inflates without end is refused", async () => {
    const content = deflateSync(Buffer.from("BT /F1 9 Tf (A lot of text) Tj ET\n".repeat(4_000_000)));
    const limits = { heapMiB: 160, memoryMiB: 1024, cpuSeconds: 15 };
    await refuses("a.pdf", rawPdf("<</Type/Pages/Kids[3 0 R]/Count 1>>", content), "that takes too", { limits });
  });
});

suite("bounds", () => {
  const long = "Old houses stand on the hill. ".repeat(600_000);

  test("a text of too many tokens is refused before its first chunk", async () => {
    await refuses("a.txt", long + long, "it is too large: its text has more than 5,000,000 tokens");
  });

  test("a document that takes too much memory is refused", async () => {
    const body = wordParagraph("x").repeat(300_000);
    await refuses("a.docx", docx(body), "that takes too much memory: more than 64 MiB", { limits: { heapMiB: 64 } });
  });

  test("memory outside of JavaScript is bounded too", { skip: process.platform !== "linux" }, async () => {
    const file = Buffer.concat([Buffer.from("%PDF-1.7\n"), Buffer.alloc(400 * MIB)]);
    await refuses("a.pdf", file, "that takes too much memory", { limits: { memoryMiB: 600 } });
  });

  test("a document that takes too much computing is refused", async () => {
    await refuses("a.txt", long, "that takes too long: more than 1 seconds of computing", {
      limits: { cpuSeconds: 1 },
    });
  });

  test("a document that takes too long is refused", async () => {
    await refuses("a.txt", long, "that takes too long: more than 0.1 seconds", { limits: { waitMs: 100 } });
  });

  test("the time that a reader takes for a chunk does not count", async () => {
    await withFile("Old houses. ".repeat(20_000), async (path) => {
      const limits = { waitMs: 100_000 };
      const chunking = { max_chunk_size_tokens: 200, chunk_overlap_tokens: 0 };
      let chunks = 0;
      const realNow = performance.now.bind(performance);
      let later = 0;
      performance.now = () => realNow() + later;
      try {
        for await (const _ of openChunks(path, "a.txt", { limits, chunking })) {
          later += 5000; // as if using the chunk had taken that long
          chunks += 1;
        }
      } finally {
        performance.now = realNow;
      }
      assert.ok(chunks > 200);
    });
  });

  test("a reader that stops, and one that is told to, leave no process behind", async () => {
    await withFile(long.slice(0, 3_000_000), async (path) => {
      for await (const _ of openChunks(path, "a.txt")) break;
      assert.deepEqual(await childrenReading(path), []);
      const controller = new AbortController();
      const reading = openChunks(path, "a.txt", { signal: controller.signal });
      await reading.next();
      assert.equal((await childrenReading(path)).length, 1);
      controller.abort(new Error("Enough"));
      await assert.rejects(async () => {
        for await (const _ of reading);
      }, /Enough/);
      assert.deepEqual(await childrenReading(path), []);
    });
  });

  test("a reader that was told to stop before it began starts nothing", async () => {
    await assert.rejects(readAll("a.txt", "x", { signal: AbortSignal.abort(new Error("Enough")) }), /Enough/);
  });

  test("a parser that somebody kills is no fault of the document", async () => {
    await withFile(long.slice(0, 3_000_000), async (path) => {
      const reading = openChunks(path, "a.txt");
      await reading.next();
      const [pid] = await childrenReading(path);
      process.kill(pid as number, "SIGKILL");
      await assert.rejects(
        async () => {
          for await (const _ of reading);
        },
        (error: Error) => error.name === "Error" && error.message.includes("SIGKILL"),
      );
    });
  });

  test("a file that is not there is no fault of the document", async () => {
    await assert.rejects(openChunks("/nonexistent/file", "a.txt").next(), { code: "ENOENT" });
  });

  test("a reader that rests makes the parser wait", async () => {
    await withFile(long.slice(0, 9_000_000), async (path) => {
      const reading = openChunks(path, "a.txt");
      await reading.next();
      const [pid] = await childrenReading(path);
      // Reading and cutting keep it running. When it sleeps at every look, it waits for room to write to.
      let rests = 0;
      await waitUntil(
        "the parser waits",
        async () => {
          const state = await stateOf(pid as number);
          assert.notEqual(state, "", "it has come to its end");
          rests = state.startsWith("S") ? rests + 1 : 0;
          return rests === 10;
        },
        120_000,
      );
      await reading.return(undefined);
    });
  });
});

test("the parser sees no environment, no other file, and starts nothing", async () => {
  await withFile("mine", async (path) => {
    const parsing = { path, kind: "text", max_chunk_size_tokens: 800, chunk_overlap_tokens: 400 } as const;
    const { command, args, ...where } = parserCommand(parsing, PARSER_LIMITS);
    const script = args.findIndex((each) => each.endsWith("parser/main.ts"));
    const tries = `
      const fs = require("node:fs");
      const attempt = (what) => { try { what(); return "allowed" } catch (error) { return error.code } };
      console.log(JSON.stringify({
        environment: Object.keys(process.env).filter((name) => !["PWD", "SHLVL", "_"].includes(name)),
        document: attempt(() => fs.readFileSync(${JSON.stringify(path)})),
        settings: attempt(() => fs.readFileSync("config.ts")),
        passwords: attempt(() => fs.readFileSync("/etc/passwd")),
        writing: attempt(() => fs.writeFileSync(${JSON.stringify(path)}, "x")),
        program: attempt(() => require("node:child_process").execFileSync("/bin/true")),
        thread: attempt(() => new (require("node:worker_threads").Worker)("1", { eval: true })),
        evaluation: attempt(() => { try { eval("1") } catch { throw { code: "no eval" } } }),
      }));`;
    const { stdout } = await promisify(execFile)(command, [...args.slice(0, script), "--eval", tries], where);
    assert.deepEqual(JSON.parse(stdout), {
      environment: [],
      document: "allowed",
      settings: "ERR_ACCESS_DENIED",
      passwords: "ERR_ACCESS_DENIED",
      writing: "ERR_ACCESS_DENIED",
      program: "ERR_ACCESS_DENIED",
      thread: "ERR_ACCESS_DENIED",
      evaluation: "no eval",
    });
  });
});

/** Refused with this message, while timers of this process go on and its memory stays what it was. */
async function refuses(
  filename: string,
  content: string | Uint8Array,
  message: string,
  reading: Reading = {},
): Promise<void> {
  let ticks = 0;
  const timer = setInterval(() => (ticks += 1), 5);
  const before = process.memoryUsage.rss();
  try {
    await assert.rejects(readAll(filename, content, reading), (error: Error & { code?: string }) => {
      assert.equal(error.name, "DocumentRefused", error.stack);
      assert.equal(error.code, "invalid_file");
      assert.ok(error.message.includes(message), error.message);
      return true;
    });
  } finally {
    clearInterval(timer);
  }
  assert.ok(ticks > 0, "nothing else could happen meanwhile");
  assert.ok(process.memoryUsage.rss() - before < MAX_GROWTH, "this process has grown");
}

/** A PDF whose page tree and page content are given. */
function rawPdf(pages: string, content: Buffer): Buffer {
  const objects = [
    "<</Type/Catalog/Pages 2 0 R>>",
    pages,
    "<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>",
  ].map((object, index) => `${index + 1} 0 obj${object}endobj\n`);
  const stream = `4 0 obj<</Length ${content.length}/Filter/FlateDecode>>stream\n`;
  const end = "\nendstream endobj\ntrailer<</Root 1 0 R/Size 5>>\n%%EOF";
  return Buffer.concat([Buffer.from(`%PDF-1.7\n${objects.join("")}${stream}`), content, Buffer.from(end)]);
}

/** Process ids of parsers of this file. */
async function childrenReading(path: string): Promise<number[]> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-ww", "-o", "pid=,stat=,args="]);
  const lines = stdout.split("\n").filter((line) => line.includes(`${path} text `) && !/^\s*\d+ Z/.test(line));
  return lines.map((line) => Number.parseInt(line, 10));
}

/** As `ps` has it: S when it sleeps, nothing when it is gone. */
async function stateOf(pid: number): Promise<string> {
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pid=,stat="]);
  const [, state = ""] = new RegExp(`^\\s*${pid}\\s+([^Z\\s]\\S*)`, "m").exec(stdout) ?? [];
  return state;
}
