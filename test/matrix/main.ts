// `npm run matrix`: every column of the SDK matrix, as a table and as docs/sdk-matrix.md. With names, `npm run matrix --
// "Node 5"`, only the columns that begin so, and no page.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { PROJECT_FOLDER } from "../../embedded/node-child.ts";
import { globalSetup, globalTeardown } from "../support/global-setup.ts";
import { CHECKS } from "./checks.ts";
import { countCells, matrixPage, signsOf } from "./page.ts";
import { runMatrix } from "./run-matrix.ts";
import type { Column } from "./run-matrix.ts";
import { SDKS } from "./sdks.ts";

const PAGE = join(PROJECT_FOLDER, "docs/sdk-matrix.md");
const NAME_WIDTH = 18;
const CELL_WIDTH = 3;

function printRow(name: string, cells: readonly (string | number)[]): void {
  console.log(name.padEnd(NAME_WIDTH) + cells.map((cell) => String(cell).padStart(CELL_WIDTH)).join(""));
}

function printColumn(column: Column): void {
  const { sdk, missing, cells } = column;
  printRow(sdk.name, missing === undefined ? signsOf(column) : [` ${missing}`]);
  for (const { check, why } of cells.filter((cell) => cell.state === "red")) console.log(`  check ${check}: ${why}`);
}

const wanted = process.argv.slice(2);
const sdks = SDKS.filter(({ name }) => wanted.length === 0 || wanted.some((start) => name.startsWith(start)));
await globalSetup();
try {
  printRow(
    "",
    CHECKS.map(({ number }) => number),
  );
  const columns = await runMatrix(sdks, { onColumn: printColumn });
  const { green, red, cannot, total } = countCells(columns);
  console.log(`${green} of ${total} cells are green, ${red} are red, ${cannot} cannot be tried`);
  if (wanted.length === 0) await writeFile(PAGE, matrixPage(columns));
  if (red > 0) process.exitCode = 1;
} finally {
  await globalTeardown();
}
