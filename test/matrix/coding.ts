// What check 7 says and expects in every language of the matrix: code that reads a table, prints, draws and writes a file,
// and an answer that links the file.
import assert from "node:assert/strict";
import type { ScriptedTurn } from "../support/scripts.ts";

export const TABLE = { name: "birds.csv", text: "bird,count\nowl,4\nwren,5\n" };
const WRITTEN = "bird,share\nowl,0.44\nwren,0.56\n";

const CODE = `import csv
import matplotlib.pyplot as plt
with open("/mnt/data/${TABLE.name}") as table:
    counts = {row["bird"]: int(row["count"]) for row in csv.DictReader(table)}
total = sum(counts.values())
with open("/mnt/data/shares.csv", "w") as shares:
    shares.write("bird,share\\n")
    shares.writelines(f"{bird},{count / total:.2f}\\n" for bird, count in counts.items())
plt.bar(list(counts), list(counts.values()))
plt.show()
print(f"🦉 {total} – zusammengezählt")`;
const LOGS = "🦉 9 – zusammengezählt\n";
const LINK = "sandbox:/mnt/data/shares.csv";
/** The characters before the link are more UTF-16 units than characters. */
const BEFORE = "🦉 There are 9 – 你好: [the shares](";

/** A turn that runs the code, and one whose answer links the file, in pieces that cut the link. */
export function codeAndLink(): ScriptedTurn[] {
  const chunks = [BEFORE, LINK.slice(0, 10), LINK.slice(10), ")."];
  const calls = [{ name: "code_interpreter", arguments: { code: CODE } }];
  return [
    { tool_calls: calls, chunk_chars: 20, chunk_ms: 10 },
    { chunks, chunk_ms: 2 },
  ];
}

export type CodeOutput = { type: "logs"; logs: string } | { type: "image"; image?: { file_id?: string } };

/** Checks the one call of a run. Returns the id of its picture. */
export function checkCall(call: { type: string; code_interpreter?: { input: string; outputs: CodeOutput[] } }): string {
  assert.equal(call.type, "code_interpreter");
  assert.equal(call.code_interpreter?.input, CODE);
  const [image, logs, ...others] = call.code_interpreter.outputs.toSorted((a, b) => (a.type < b.type ? -1 : 1));
  assert.ok(image?.type === "image" && image.image?.file_id !== undefined && others.length === 0);
  assert.deepEqual(logs, { type: "logs", logs: LOGS });
  return image.image.file_id;
}

/** Checks what the deltas of a stream's call add up to. */
export function checkDeltas(input: readonly string[], logs: readonly string[]): void {
  assert.equal(input.join(""), CODE);
  assert.ok(input.length > 1, "the code came in one piece");
  assert.equal(logs.join(""), LOGS);
}

interface Part {
  type: string;
  image_file?: { file_id: string };
  text?: { value: string; annotations: { type: string; file_path?: { file_id: string } }[] };
}

/** Checks an answer: the picture, then the text, and a link whose indexes count characters. Returns the id of the file. */
export function checkLink(content: readonly Part[], image: string): string {
  const [shown, { text } = {}, ...others] = content;
  assert.deepEqual([shown, others], [{ type: "image_file", image_file: { file_id: image } }, []]);
  assert.equal(text?.value, `${BEFORE}${LINK}).`);
  const [annotation, ...more] = text.annotations;
  const file_id = annotation?.file_path?.file_id ?? "";
  const start_index = Array.from(BEFORE).length;
  const end_index = start_index + LINK.length;
  assert.deepEqual(
    [annotation, more],
    [{ type: "file_path", text: LINK, start_index, end_index, file_path: { file_id } }, []],
  );
  return file_id;
}

const SIGNATURE_OF_PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

type Download = Pick<Response, "arrayBuffer" | "text">;

/** Checks the two files of an answer, as they were downloaded. */
export async function checkFiles(image: Download, written: Download): Promise<void> {
  assert.deepEqual([...new Uint8Array(await image.arrayBuffer()).slice(0, 8)], SIGNATURE_OF_PNG);
  assert.equal(await written.text(), WRITTEN);
}
