// What the worker bundles: workflows and nothing else.
export { runWorkflow } from "./run.ts";
