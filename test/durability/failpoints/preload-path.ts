// Where the module is that breaks processes from within.
import { fileURLToPath } from "node:url";

export const PRELOAD = fileURLToPath(new URL("./preload.ts", import.meta.url));
