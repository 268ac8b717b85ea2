// The outcome of the whole matrix as a page of the documentation.
import { CHECKS } from "./checks.ts";
import type { Cell, Column } from "./run-matrix.ts";

const SIGNS = { green: "✓", red: "✗", cannot: "–" };

/** How many of the cells are green, and how many there are. */
export function countCells(columns: readonly Column[]): { green: number; red: number; cannot: number; total: number } {
  const cells = columns.flatMap((column) => column.cells);
  const count = (state: Cell["state"]) => cells.filter((cell) => cell.state === state).length;
  return { green: count("green"), red: count("red"), cannot: count("cannot"), total: cells.length };
}

/** The signs of a column's cells, in the order of the checks. */
export function signsOf({ cells }: Column): string[] {
  return cells.map(({ state }) => SIGNS[state]);
}

export function matrixPage(columns: readonly Column[]): string {
  const { green, red, cannot, total } = countCells(columns);
  const numbers = CHECKS.map(({ number }) => number);
  return `# SDK matrix

Published versions of the official SDKs, each held against the same twelve checks on this server, with nothing changed but the base URL and the key. \`npm run matrix\` makes this page; \`npm test\` runs a part of the columns.

**${green} of ${total} cells are green**, ${red} are red, and ${cannot} cannot be tried, for the reasons below.

| SDK | API | ${numbers.join(" | ")} |
| --- | --- | ${numbers.map(() => "---").join(" | ")} |
${columns.map(rowOf).join("\n")}

✓ green, ✗ red, – cannot be tried

## The checks

${CHECKS.map(({ number, title }) => `${number}. ${title}`).join("\n")}
${listOf("What cannot be tried", "cannot", columns)}${listOf("What is red", "red", columns)}`;
}

function rowOf(column: Column): string {
  const { name, api } = column.sdk;
  const cells = column.missing === undefined ? signsOf(column) : CHECKS.map(() => "");
  return `| ${name} | ${api} | ${cells.join(" | ")} |`;
}

/** Every reason once, with the checks and the SDKs that it holds for. */
function listOf(title: string, state: Cell["state"], columns: readonly Column[]): string {
  const found = new Map<string, { checks: Set<number>; names: Set<string> }>();
  for (const { sdk, cells } of columns) {
    for (const { check, why } of cells.filter((cell) => cell.state === state)) {
      const [reason = ""] = why.split("\n", 1);
      const places = found.get(reason) ?? { checks: new Set(), names: new Set() };
      found.set(reason, places);
      places.checks.add(check);
      places.names.add(sdk.name);
    }
  }
  if (found.size === 0) return "";
  const lines = [...found].map(([reason, { checks, names }]) => {
    const who = names.size === columns.length ? "all" : [...names].join(", ");
    return `- ${[...checks].join(", ")}, ${who}: ${reason}`;
  });
  return `\n## ${title}\n\n${lines.join("\n")}\n`;
}
