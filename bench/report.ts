// What a benchmark has found: shown as text, kept as JSON, and gathered in results.md, with the goals in the README.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, release, totalmem, type } from "node:os";
import { join } from "node:path";

const RESULTS = join(import.meta.dirname, "results");
const SUMMARY = join(import.meta.dirname, "results.md");
const README = join(import.meta.dirname, "../README.md");
/** What the README has between these lines is written here. */
const BEGIN = "<!-- the goals in bench/results.md -->";
const END = "<!-- end of the goals -->";

export interface Goal {
  what: string;
  /** Figure as shown. */
  found: string;
  goal: string;
  met: boolean;
}

export interface Table {
  title: string;
  columns: string[];
  rows: string[][];
}

export interface Report {
  name: string;
  title: string;
  /** How it was measured, in a sentence or two. */
  method: string;
  goals: Goal[];
  tables: Table[];
}

/** Prints a report and writes its JSON. Returns its section of results.md. */
export function publish(report: Report): string {
  const text = render(report);
  console.log(`\n${text}`);
  const entry = { ...report, machine: describeMachine(), at: new Date().toISOString() };
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(join(RESULTS, `${report.name}.json`), `${JSON.stringify(entry, null, 2)}\n`);
  return `${text}\n*${entry.at.slice(0, 10)}, ${entry.machine}*\n`;
}

/** Writes results.md: the given sections in place of older ones of the same benchmark, in the order of `names`. */
export function writeSummary(names: readonly string[], sections: ReadonlyMap<string, string>): void {
  const kept = new Map([...readSections(), ...sections]);
  const texts = names.flatMap((name) => kept.get(name) ?? []);
  writeFileSync(SUMMARY, `${INTRODUCTION}\n${texts.join("\n")}`);
  const readme = readFileSync(README, "utf8");
  const [before, after] = [readme.indexOf(BEGIN) + BEGIN.length, readme.indexOf(END)];
  writeFileSync(README, `${readme.slice(0, before)}\n${goalsOf(texts)}\n${readme.slice(after)}`);
}

/** The goals of all sections as one table. */
export function goalsOf(sections: readonly string[]): string {
  const rows = sections.flatMap((section) => {
    const name = /^## (\S+)/.exec(section)?.[1] ?? "";
    const table = /\nGoals\n\n((?:\|.*\n)+)/.exec(section)?.[1] ?? "";
    const lines = table.trimEnd().split("\n").slice(2);
    return lines.map((line) => [
      name,
      ...line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    ]);
  });
  return renderTable({ title: "", columns: ["", "figure", "found", "goal", ""], rows }).trim();
}

/** The sections that results.md has now, by the name that each begins with. */
export function readSections(): [name: string, section: string][] {
  const [, ...sections] = readFileSync(SUMMARY, "utf8").split(/^## /m);
  return sections.map((section) => [section.split(" ", 1)[0]?.toLowerCase() ?? "", `## ${section.trimEnd()}\n`]);
}

const INTRODUCTION = `# Benchmarks

\`npm run bench\` makes these figures anew (\`npm run bench -- b1\` for one of them) and writes this file. Figures are
\`median [lowest–highest]\` over rounds in which server and bare counterpart took turns on the same machine. Load and
all parts share its processors, so only the ratios mean something elsewhere.
`;

function render({ name, title, method, goals, tables }: Report): string {
  const goalTable = {
    title: "Goals",
    columns: ["figure", "found", "goal", ""],
    rows: goals.map((goal) => [goal.what, goal.found, goal.goal, goal.met ? "met" : "**missed**"]),
  };
  const all = goals.length === 0 ? tables : [goalTable, ...tables];
  return `## ${name.toUpperCase()} ${title}\n\n${method}\n\n${all.map(renderTable).join("\n")}`;
}

function renderTable({ title, columns, rows }: Table): string {
  const widths = columns.map((column, index) =>
    Math.max(column.length, 3, ...rows.map((row) => (row[index] ?? "").length)),
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(" | ")} |`;
  const rule = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return `${title}\n\n${[line(columns), rule, ...rows.map(line)].join("\n")}\n`;
}

function describeMachine(): string {
  const processors = cpus();
  return `${processors.length} × ${processors[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${type()} ${release()}, Node ${process.versions.node}`;
}
