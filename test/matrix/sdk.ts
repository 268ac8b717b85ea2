// A column of the SDK matrix: one published version of one SDK, as a program that tries the checks of checks.ts.

export interface MatrixSdk {
  name: string;
  api: "v1" | "v2";
  /** Whether `npm test` runs this column too; the others belong to `npm run matrix` alone. */
  representative: boolean;
  /** The program to start, or why this machine cannot. */
  prepare(): Promise<{ command: string; args: string[] } | { missing: string }>;
}
