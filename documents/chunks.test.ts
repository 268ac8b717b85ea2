import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { suite, test } from "node:test";
import { docx, pdf, pptx, slideText, wordParagraph, wordTable } from "../test/support/office-files.ts";
import { readAll, readText } from "../test/support/read-document.ts";
import { zip } from "../test/support/zip.ts";

const BOM = "\uFEFF";
const utf16be = (text: string) => Buffer.from(text, "utf16le").swap16();

suite("text", () => {
  test("plain text and code are read as they stand", async () => {
    const text = "if (a < b) {\n  return '<p>Grüße</p>'; // 東京\n}";
    for (const name of ["a.ts", "a.TXT"]) assert.equal(await readText(name, text), text);
  });

  test("UTF-8 and UTF-16 are read with and without a byte order mark", async () => {
    const text = "Grüße aus Köln\nПривет, мир\n🎉 end";
    for (const content of [
      Buffer.from(BOM + text),
      ...[text, BOM + text].flatMap((each) => [Buffer.from(each, "utf16le"), utf16be(each)]),
    ]) {
      assert.equal(await readText("a.txt", content), text);
    }
  });

  test("characters are whole wherever the pieces of a large file end", async () => {
    const text = "🎉東é".repeat(60_000);
    for (const content of [Buffer.from(`a${text}`), Buffer.from(BOM + text, "utf16le"), Buffer.from(text)]) {
      assert.equal((await readText("a.txt", content)).replace(/^a/, ""), text);
    }
  });

  test("bytes that are not UTF-8 are named, wherever they are", async () => {
    for (const before of [0, 65_535, 200_001]) {
      const content = Buffer.concat([
        Buffer.from("é".repeat(before >> 1) + "a".repeat(before & 1)),
        Buffer.from([0xe9, 0x74, 0xe9]),
      ]);
      await refuses(
        "a.md",
        content,
        "invalid_file",
        `byte ${before.toLocaleString("en")} (0xe9) is not valid UTF-8. Text must be encoded in UTF-8`,
      );
    }
    await refuses("a.md", Buffer.from("cut in the middle: é").subarray(0, -1), "invalid_file", "byte 19 (0xc3)");
  });

  test("binary data is not text, and half of UTF-16 neither", async () => {
    await refuses("a.txt", Buffer.from([0, 1, 2, 0, 0, 7, 255]), "invalid_file", "it holds binary data, not text");
    await refuses("a.txt", Buffer.from("fffe3dd861006200", "hex"), "invalid_file", "half characters");
    await refuses("a.txt", Buffer.from("fffe000041000000", "hex"), "invalid_file", "UTF-32");
  });

  test("a file without words is empty", async () => {
    for (const content of ["", " \n\t ", BOM, " ".repeat(3_000_000)]) {
      await refuses("a.txt", content, "invalid_file", "The file could not be parsed because it is empty.");
    }
  });

  test("line ends become one kind, long white space is shortened, and zeros are left out", async () => {
    assert.equal(await readText("a.txt", `a\r\nb\rc${" ".repeat(300)}d${"\n".repeat(300)}e\n\n`), "a\nb\nc d\n\ne");
    assert.equal(await readText("a.txt", Buffer.from(`${BOM}a\0b`, "utf16le")), "ab");
  });

  test("JSON is text, however deep and broken it is", async () => {
    const json = "[".repeat(200_000);
    assert.equal(await readText("a.json", json), json);
  });

  test("chunks are numbered and counted", async () => {
    const chunks = await readAll("a.txt", "A house stands here. ".repeat(1000), {
      chunking: { max_chunk_size_tokens: 800, chunk_overlap_tokens: 400 },
    });
    assert.ok(chunks.length > 10);
    for (const [index, chunk] of chunks.entries()) {
      assert.equal(chunk.index, index);
      assert.ok(chunk.tokens <= 800 && chunk.tokens > 400);
    }
  });
});

suite("HTML", () => {
  test("a page reads as it is seen", async () => {
    const page = `<!doctype html><html><head><title>Houses</title><style>p { color: red }</style></head>
      <body><nav><a href="/home">Home</a></nav><script>document.write("<p>no</p>")</script>
      <h1>Old   houses</h1><p>They are <b>very</b> old &amp; <i>small</i>.<br>See <a href="https://example.com/list">the list</a>.</p>
      <ul><li>one<li><p>two</p></ul>
      <table><tr><th>Name<th>Age</tr><tr><td><p>Mill</p></td><td>200</td></tr><tr><td>Barn<td>300</table>
      <pre>a
  b</pre><img src="x.png" alt="A mill"><p hidden>not seen</p></body></html>`;
    const text =
      "Houses\n\n# Old houses\n\nThey are very old & small.\nSee the list (https://example.com/list).\n\n- one\n- two\n\nName | Age\nMill | 200\nBarn | 300\n\na\n  b\n\n[A mill]";
    assert.equal(await readText("a.html", page), text);
    assert.equal(await readText("a.html", Buffer.from(BOM + page, "utf16le")), text);
  });

  test("a page without words is refused", async () => {
    await refuses("a.html", "<script>alert(1)</script>", "invalid_file", "the page holds no text");
  });
});

suite("Word", () => {
  test("paragraphs, tables and special characters of a .docx are read", async () => {
    const body =
      wordParagraph("Old &lt;houses&gt; 東京 🎉") +
      wordTable([
        ["Mill", "200"],
        ["Barn", "300"],
      ]) +
      wordParagraph("End");
    assert.equal(await readText("a.docx", docx(body)), "Old <houses> 東京 🎉\n\nMill | 200\nBarn | 300\n\nEnd");
  });

  test("a .docx without text is refused", async () => {
    await refuses("a.docx", docx(""), "invalid_file", "it holds no text");
  });

  test("a .doc of Word 97 is read, whatever it is called", async () => {
    const file = await readFile(join(import.meta.dirname, "../test/support/documents/word-97.doc"));
    const text = "这是一个用来测试nodejs解析Word文档.doccccc\nThis is a test for parsing the Word file in node.";
    for (const name of ["a.doc", "A.DOC", "a.txt", "a.docx"]) assert.equal(await readText(name, file), text, name);
  });

  test("a web page and a .docx that are called .doc are read as what they are", async () => {
    assert.equal(await readText("a.doc", "<html><body><p>Page</p></body></html>"), "Page");
    assert.equal(await readText("a.doc", docx(wordParagraph("New"))), "New");
  });

  test("rich text that is called .doc is refused", async () => {
    await refuses("a.doc", "{\\rtf1 Hello}", "unsupported_file", "The file holds rich text (RTF)");
  });
});

suite("PowerPoint", () => {
  test("slides come in the order of the show, with tables and notes", async () => {
    const table = `<p:graphicFrame><a:tbl><a:tr><a:tc><a:txBody><a:p><a:r><a:t>Mill</a:t></a:r></a:p></a:txBody></a:tc><a:tc><a:txBody><a:p><a:r><a:t>200</a:t></a:r></a:p></a:txBody></a:tc></a:tr></a:tbl></p:graphicFrame>`;
    const slides = [
      { file: 10, shapes: slideText("Old houses", "and mills") + table, notes: "Speak slowly" },
      { file: 2, shapes: "" },
      { file: 1, shapes: slideText("The end") },
    ];
    const text = "# Slide 1\n\nOld houses\nand mills\n\nMill | 200\n\nNotes: Speak slowly\n\n# Slide 3\n\nThe end";
    assert.equal(await readText("a.pptx", pptx(slides)), text);
  });

  test("a show without text is refused", async () => {
    await refuses("a.pptx", pptx([{ file: 1, shapes: "" }]), "invalid_file", "none of its slides holds text");
  });
});

suite("PDF", () => {
  const sentence =
    "The river had carried the timber of the town for two hundred years before the second bridge was built. ";

  test("a title and two columns are read one after the other, in whichever order they were drawn", async () => {
    const column = (name: string) => Array.from({ length: 8 }, (_, n) => `${name} ${n}: ${sentence}`).join("");
    for (const align of ["left", "justify"] as const) {
      const file = await pdf((page) => {
        page.fontSize(10).text(column("Right"), 320, 120, { width: 220, align });
        page.text(column("Left"), 72, 120, { width: 220, align });
        page.fontSize(20).text("A study of bridges in the whole of the country", 72, 80);
      });
      const text = (await readText("a.pdf", file)).replaceAll(/\s+/g, " ");
      assert.equal(text, `A study of bridges in the whole of the country ${column("Left")}${column("Right")}`.trim());
    }
  });

  test("a table is read row by row", async () => {
    const rows = [
      ["Item", "Count", "Price"],
      ["Nails", "1000", "3.20"],
      ["Saw", "1", "22.50"],
      ["Oak plank", "12", "8.00"],
      ["Glue", "3", "4.10"],
    ];
    const file = await pdf((page) => {
      for (const [row, cells] of rows.entries()) {
        for (const [column, cell] of cells.entries())
          page.text(cell, 72 + column * 150, 100 + row * 16, { lineBreak: false });
      }
    });
    assert.equal(await readText("a.pdf", file), rows.map((cells) => cells.join("\t")).join("\n"));
  });

  test("all of 200 pages are read in order", async () => {
    const file = await pdf((page) => {
      for (let number = 0; number < 200; number += 1) {
        if (number > 0) page.addPage();
        page.text(`Page ${number}. ${sentence.repeat(10)}`);
      }
    });
    const text = await readText("a.pdf", file);
    const numbers = Array.from(text.matchAll(/Page (\d+)\./g), ([, number]) => Number(number));
    assert.deepEqual(
      numbers,
      Array.from({ length: 200 }, (_, number) => number),
    );
  });

  test("only a password that is needed for reading keeps the text from us", async () => {
    await refuses(
      "a.pdf",
      await pdf((page) => page.text("x"), { userPassword: "secret", ownerPassword: "b" }),
      "invalid_file",
      "The file could not be parsed because it is protected by a password.",
    );
    assert.equal(await readText("a.pdf", await pdf((page) => page.text("for all"), { ownerPassword: "b" })), "for all");
  });

  test("pages without text are refused with a hint", async () => {
    await refuses(
      "a.pdf",
      await pdf((page) => page.addPage()),
      "invalid_file",
      "none of its 2 pages holds text: scanned pages need text recognition (OCR) first",
    );
  });
});

suite("names", () => {
  test("an extension that is not accepted is refused with the list of those that are", async () => {
    await refuses(
      "table.CSV",
      "a,b",
      "unsupported_file",
      "Files with extensions [.csv] are not supported for retrieval. These are: .c, .cpp,",
    );
    await refuses("Makefile", "a", "unsupported_file", "Files without an extension are not supported for retrieval.");
    await refuses(".txt", "a", "unsupported_file", "Files without an extension");
    await refuses("a.constructor", "a", "unsupported_file", "[.constructor]");
  });

  test("the media type speaks for a name without extension", async () => {
    assert.equal(await readText("notes", "Hello", { contentType: "text/plain; charset=utf-8" }), "Hello");
    await refuses("notes", "Hello", "unsupported_file", "Files without an extension", "application/octet-stream");
  });

  test("a PDF or Office file with the name of another type is read as what it is", async () => {
    const file = await pdf((page) => page.text("It is a PDF"));
    for (const name of ["a.txt", "a.docx", "a.html"]) assert.equal(await readText(name, file), "It is a PDF");
    assert.equal(await readText("a.pdf", docx(wordParagraph("Word"))), "Word");
    assert.equal(await readText("a.docx", pptx([{ file: 1, shapes: slideText("Show") }])), "# Slide 1\n\nShow");
  });

  test("what is no document is refused by what it is", async () => {
    const png = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");
    await refuses(
      "a.txt",
      png,
      "unsupported_file",
      "The file holds a PNG image, which is not supported for retrieval.",
    );
    await refuses("a.docx", zip([{ name: "a.txt", content: "a" }]), "unsupported_file", "The file holds a ZIP archive");
    const workbook = `<Types><Override ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>`;
    await refuses(
      "a.docx",
      zip([{ name: "[Content_Types].xml", content: workbook }]),
      "unsupported_file",
      "an Excel workbook",
    );
    await refuses("a.pdf", "Not found", "invalid_file", "it is not what its extension .pdf says");
  });
});

async function refuses(
  filename: string,
  content: string | Uint8Array,
  code: string,
  message: string,
  contentType?: string,
): Promise<void> {
  const reading = readAll(filename, content, contentType === undefined ? {} : { contentType });
  await assert.rejects(reading, (error: Error & { code?: string }) => {
    assert.equal(error.name, "DocumentRefused", error.stack);
    assert.equal(error.code, code);
    assert.ok(error.message.includes(message), error.message);
    return true;
  });
}
