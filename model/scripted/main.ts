// Runs the scripted model as a process of its own: in the embedded mode without an upstream key, and for benchmarks.
import { loadConfig } from "../../config.ts";
import { startScriptedModel } from "./server.ts";

const { HOST, EMBEDDED_MODEL_PORT } = loadConfig();
const log = (entry: Record<string, unknown>) => console.log(JSON.stringify({ time: Date.now(), ...entry }));

const model = await startScriptedModel({ host: HOST, port: EMBEDDED_MODEL_PORT, log });
process.send?.({ type: "ready", url: model.url });
log({ level: "info", msg: "scripted model listening", url: model.url });

const stop = () => {
  process.off("disconnect", stop); // listening there keeps the process alive
  void model.stop();
};
process.once("SIGTERM", stop);
process.once("SIGINT", stop);
process.once("disconnect", stop); // the parent is gone
if (process.connected === false) stop(); // it went while this was starting
