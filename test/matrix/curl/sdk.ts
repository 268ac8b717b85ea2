// The column without an SDK: the machine's curl.
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { PROJECT_FOLDER } from "../../../embedded/node-child.ts";
import type { MatrixSdk } from "../sdk.ts";

const run = promisify(execFile);

export const CURL: MatrixSdk = {
  name: "curl",
  api: "v2",
  representative: true,
  async prepare() {
    try {
      await run("curl", ["--version"]);
    } catch {
      return { missing: "this machine has no curl" };
    }
    return { command: process.execPath, args: [join(PROJECT_FOLDER, "test/matrix/curl/main.ts")] };
  },
};
