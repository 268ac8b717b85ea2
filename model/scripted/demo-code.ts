// What the demo does with a tool that runs Python: it solves a linear equation, or plots a table and tidies it up. The code
// is really run; the demo knows no more of what comes out than it reads in the tool's output. Pure.
import { isObject, parseJson } from "./json.ts";
import type { ChatTool } from "./request.ts";

const NAME = "code_interpreter";

/** The tool that runs Python, if it is offered. */
export function findInterpreter(tools: readonly ChatTool[]): ChatTool | undefined {
  return tools.find((tool) => tool.function.name === NAME);
}

/** The Python that does what the text asks for; undefined when the demo has no rule for it. */
export function codeFor(text: string, { function: { description } }: ChatTool): string | undefined {
  const equation = findEquation(text);
  if (equation !== undefined) return solve(equation);
  const table = /\b(?:plot|chart|graph|draw)/i.test(text) ? findTable(text, description ?? "") : undefined;
  return table === undefined ? undefined : plot(table);
}

/** What the demo says of a call that is done. @param args of the call, as JSON */
export function reportCode(args: string, output: string): string {
  if (output.includes("Traceback (")) return `I ran Python, and it failed: ${output.split("\n").at(-1)}`;
  const seen = output.replaceAll(/\[an image[^\]]*\]/g, "").trim();
  const said = seen === "" ? "I ran Python." : `I ran Python, and it says: ${seen}`;
  const call = parseJson(args)?.value;
  const [, literal = ""] = isObject(call) ? (/\.to_csv\(("(?:[^"\\]|\\.)*")/.exec(String(call.code)) ?? []) : [];
  const path = parseJson(literal)?.value;
  return typeof path === "string" ? `${said} The tidy table: [${baseName(path)}](sandbox:${path}).` : said;
}

interface Equation {
  left: string;
  right: string;
  unknown: string;
}

/** A number, a letter, or one times the other. */
const TERM = String.raw`(?:\d+(?:\.\d+)? ?\*? ?[a-z]?|[a-z])(?!\w)`;
const SIDE = `[-+]? ?${TERM}(?: ?[-+] ?${TERM})*`;
const EQUATION = new RegExp(String.raw`(?<!\w|[-+*/^()=.\d] ?)(${SIDE}) ?= ?(${SIDE})(?! ?[-+*/^(=])`, "i");

/** The first equation in the text, if it is linear and has one unknown. */
function findEquation(text: string): Equation | undefined {
  const [, left, right] = EQUATION.exec(text.replaceAll(/\s+/g, " ")) ?? [];
  if (left === undefined || right === undefined) return undefined;
  const [unknown, ...others] = new Set((left + right).match(/[a-z]/gi));
  return unknown === undefined || others.length > 0 ? undefined : { left, right, unknown };
}

function solve({ left, right, unknown }: Equation): string {
  const [one, other] = [left, right].map((side) => side.replaceAll(/(\d) ?([a-z])/gi, "$1*$2").trim());
  return `from sympy import solve, symbols

${unknown} = symbols("${unknown}")
found = solve((${one}) - (${other}), ${unknown})
print(f"${unknown} = {found[0]}" if found else "No single ${unknown} solves it.")
`;
}

/** The path of the CSV file that the text names or, if it names none, of the first one that the tool tells of. */
function findTable(text: string, description: string): string | undefined {
  const paths = (description.match(/"\/mnt\/data\/(?:[^"\\]|\\.)*"/g) ?? []).map((path) =>
    String(parseJson(path)?.value),
  );
  const tables = paths.filter((path) => path.toLowerCase().endsWith(".csv"));
  return tables.find((path) => text.includes(baseName(path))) ?? tables[0];
}

function plot(path: string): string {
  const tidy = path.replace(/\.csv$/i, "_cleaned.csv");
  return `import matplotlib.pyplot as plt
import pandas as pd

table = pd.read_csv(${JSON.stringify(path)}, skipinitialspace=True).convert_dtypes()
clean = table.dropna().drop_duplicates()
clean.to_csv(${JSON.stringify(tidy)}, index=False)
print(f"{len(table)} rows, of which {len(table) - len(clean)} were incomplete or repeated.")

labels = [name for name in clean if clean[name].dtype.kind not in "iuf"]
clean.plot(x=labels[0] if labels else None, title=${JSON.stringify(baseName(path))}, marker="o")
plt.show()
`;
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
