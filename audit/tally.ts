// Counts what the checks look at and what they find. Of the violations of an invariant only the first are kept: the
// memory that an audit takes does not grow with what is wrong.

/** Something that is not as it should be: which row, and why in a few words. Never content. */
export interface Violation {
  id: string;
  reason: string;
}

export interface Found {
  /** Rows that were looked at. */
  checked: number;
  violations: readonly Violation[];
}

/** An invariant by its name, and what must hold. */
export type Catalogue = Readonly<Record<string, string>>;

export interface InvariantResult {
  name: string;
  says: string;
  checked: number;
  violations: number;
  /** The first violations that were found. */
  first: Violation[];
  /** Why the invariant could not be checked, or not to the end. */
  skipped?: string;
}

export interface Tally {
  /** Adds rows that were looked at, and what was wrong with them. */
  add(name: string, found: Found): void;
  checked(name: string, count: number): void;
  violation(name: string, id: string, reason: string): void;
  skip(names: readonly string[], reason: string): void;
  results(): InvariantResult[];
}

/** @param keep how many violations of each invariant are kept */
export function createTally(catalogue: Catalogue, keep: number): Tally {
  const results = new Map<string, InvariantResult>(
    Object.entries(catalogue).map(([name, says]) => [name, { name, says, checked: 0, violations: 0, first: [] }]),
  );

  function of(name: string): InvariantResult {
    const result = results.get(name);
    if (result === undefined) throw new Error(`there is no invariant ${name}`);
    return result;
  }

  function violation(name: string, id: string, reason: string): void {
    const result = of(name);
    result.violations += 1;
    if (result.first.length < keep) result.first.push({ id, reason });
  }

  return {
    add(name, found) {
      of(name).checked += found.checked;
      for (const { id, reason } of found.violations) violation(name, id, reason);
    },
    checked(name, count) {
      of(name).checked += count;
    },
    violation,
    skip(names, reason) {
      for (const name of names) of(name).skipped = reason;
    },
    results: () => [...results.values()],
  };
}
