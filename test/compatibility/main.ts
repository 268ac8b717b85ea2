// npm run docs:compatibility: writes docs/compatibility.md anew.
import { writeFileSync } from "node:fs";
import { COMPATIBILITY_PAGE, compatibilityPage } from "./page.ts";
import { readRoutes } from "./routes.ts";

writeFileSync(COMPATIBILITY_PAGE, compatibilityPage(await readRoutes()));
