// The columns of the Node SDK. Versions are those that package.json installs.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_FOLDER } from "../../../embedded/node-child.ts";
import type { MatrixSdk } from "../sdk.ts";

const packageJson = JSON.parse(readFileSync(join(PROJECT_FOLDER, "package.json"), "utf8")) as {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};
const versions = { ...packageJson.dependencies, ...packageJson.devDependencies };

export const NODE_SDKS: MatrixSdk[] = [
  column("openai-v4-20", "v1", { representative: true }),
  column("openai-v4-56", "v2"),
  column("openai-v4", "v2", { representative: true }),
  column("openai-v5", "v2"),
  column("openai-v6", "v2"),
  column("openai", "v2", { representative: true }),
];

function column(alias: string, api: MatrixSdk["api"], { representative = false } = {}): MatrixSdk {
  const version = versions[alias]?.split("@").at(-1);
  if (version === undefined) throw new Error(`package.json does not install ${alias}`);
  const program = join(PROJECT_FOLDER, "test/matrix/node", api === "v1" ? "v1/main.ts" : "main.ts");
  const args = [program, ...(api === "v1" ? [] : ["--sdk", alias])];
  return { name: `Node ${version}`, api, representative, prepare: async () => ({ command: process.execPath, args }) };
}
