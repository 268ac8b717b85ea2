// The audit's report as an operator reads it.
import type { AuditReport } from "./audit.ts";
import type { InvariantResult } from "./tally.ts";

/** A table of all invariants, then each that is broken with the first rows that break it. */
export function toText(report: AuditReport): string {
  const { invariants, temporal_problem } = report;
  const width = Math.max(...invariants.map(({ name }) => name.length));
  const broken = invariants.filter(({ violations }) => violations > 0);
  return [
    ...(temporal_problem === null ? [] : [`Not everything was checked. Temporal: ${temporal_problem}`, ""]),
    `${"invariant".padEnd(width)}  ${"checked".padStart(9)}  ${"violations".padStart(10)}`,
    ...invariants.map((result) => toRow(result, width)),
    ...broken.flatMap(toDetails),
    "",
    broken.length === 0 ? "No invariant is broken." : `${broken.length} of ${invariants.length} invariants are broken.`,
  ].join("\n");
}

function toRow({ name, checked, violations, skipped }: InvariantResult, width: number): string {
  const found = skipped === undefined || violations > 0 ? String(violations) : "skipped";
  return `${name.padEnd(width)}  ${String(checked).padStart(9)}  ${found.padStart(10)}`;
}

function toDetails({ name, says, violations, first }: InvariantResult): string[] {
  const more = violations - first.length;
  return [
    "",
    `${name}: ${says}`,
    ...first.map(({ id, reason }) => `  ${id}  ${reason}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}
