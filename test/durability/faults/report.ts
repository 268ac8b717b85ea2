// The report: one table, on the terminal and as a page of the docs.
import type { ScenarioResult } from "./scenario.ts";

/** One line for the terminal. */
export function toLine(result: ScenarioResult): string {
  const { name, faults, runs, ended, files = 0, filesEnded = {}, violations, recoveryMs, seconds } = result;
  const verdict = violations.length === 0 ? "ok  " : "FAIL";
  const recovery = recoveryMs.length === 0 ? "" : `, moved on after ${toSeconds(recoveryMs)}`;
  const filesToo = files === 0 ? "" : `, ${files} files (${counts(filesEnded)})`;
  return `${verdict} ${name}: ${faults} faults, ${runs} runs (${counts(ended)})${filesToo}${recovery}, ${seconds} s`;
}

/** The page, in Markdown. */
export function toPage(cores: number, results: readonly ScenarioResult[]): string {
  const runs = sum(results.map((result) => result.runs));
  const violations = results.flatMap((result) => result.violations.map((text) => `- ${result.name}: ${text}`));
  const faults = sum(results.map((result) => result.faults));
  const files = sum(results.map((result) => result.files ?? 0));
  return `# What was done to the server, and what it lost

Written by \`npm run test:durability\`, on a machine with ${cores} cores that had other work to do. The seed makes the choices of a scenario again: \`npm run test:durability -- --seed N NAME\`. [faults.md](faults.md) says what each fault does and what an operator sees of it.

**${results.length} scenarios, ${faults} faults, ${runs} runs, ${files} files, ${violations.length} violations.**

After each scenario every run and every file must be at rest, and the audit reads all rows and events, the workflows, the blobs and what the clients were told. A violation is anything that it finds and anything that a client complains of: a run that ended otherwise than its script says, an answer with another text, outputs taken twice, a position that came twice; a file that is not there after a 2xx or not as it was sent, that ended otherwise than its content says, that is not found by each of its words in exactly one chunk, or is found after it was deleted; counts that do not add up; a call of code that is missing or comes twice, outputs that are not those of its cell, variables that are lost without a word to the model, an image or a file of code that cannot be had byte for byte or is there twice; code that goes on behind the end of its run, and a process or a folder of a sandbox behind that of its worker; a blob without a row that no broken request can have left. *Moved on* is the time from a fault's end, or from the kill, until each run and each file that was under way then had made a step: its median and the longest.

| scenario | what was done | times | runs | how they ended | files | in vector stores | violations | moved on: p50 | longest | seed |
| --- | --- | ---: | ---: | --- | ---: | --- | ---: | ---: | ---: | ---: |
${results.map(toRow).join("\n")}

${violations.length === 0 ? "" : `## Violations\n\n${violations.join("\n")}\n\n`}## What clients had to ask again for

A client repeats a request, with its \`Idempotency-Key\`, when nothing came or a 5xx did, and joins a stream that broke off again.

| scenario | |
| --- | --- |
${results.map((result) => `| ${result.name} | ${counts(result.troubles)} |`).join("\n")}
`;
}

function toRow(result: ScenarioResult): string {
  const { name, fault, faults, runs, ended, files = 0, filesEnded = {}, violations, recoveryMs, seed } = result;
  const recovery = [at(recoveryMs, 0.5), at(recoveryMs, 1)].map(inSeconds);
  return `| ${[name, fault, faults, runs, counts(ended), files, counts(filesEnded), violations.length, ...recovery, seed].join(" | ")} |`;
}

function counts(of: Record<string, number>): string {
  const parts = Object.entries(of).map(([what, count]) => `${count} ${what}`);
  return parts.length === 0 ? "nothing" : parts.join(", ");
}

/** Of sorted numbers. */
function at(sorted: readonly number[], share: number): number | undefined {
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)];
}

function inSeconds(ms: number | undefined): string {
  return ms === undefined ? "–" : `${(ms / 1000).toFixed(1)} s`;
}

function toSeconds(sorted: readonly number[]): string {
  return `${inSeconds(at(sorted, 0.5))} (longest ${inSeconds(at(sorted, 1))})`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
