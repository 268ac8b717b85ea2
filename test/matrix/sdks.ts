// The columns of the SDK matrix.
import { CURL } from "./curl/sdk.ts";
import { NODE_SDKS } from "./node/sdks.ts";
import { PYTHON_SDKS } from "./python/environments.ts";
import type { MatrixSdk } from "./sdk.ts";

export const SDKS: MatrixSdk[] = [...NODE_SDKS, ...PYTHON_SDKS, CURL];
