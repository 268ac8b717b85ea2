// What the worker bundles: workflows and nothing else.
export { ingestWorkflow } from "./ingest.ts";
export { janitorWorkflow } from "./janitor.ts";
export { runWorkflow } from "./run.ts";
