// What the worker bundles: workflows and nothing else.
export { janitorWorkflow } from "./janitor.ts";
export { runWorkflow } from "./run.ts";
