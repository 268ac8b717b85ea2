// Where environments of Python are kept: inside the project, beside what else is made for it and can be made again.
import { join } from "node:path";

export const ENVIRONMENTS_FOLDER = join(import.meta.dirname, "../.cache");
