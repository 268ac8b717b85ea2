// Which ports a start needs, given its settings.
import type { Config } from "../config.ts";
import { findPorts } from "./ports.ts";
import type { PortWish } from "./ports.ts";

/** 0 for a part that is not started, because somebody else's is used or none is needed. */
export type Ports = Record<"api" | "postgres" | "temporal" | "temporalUi" | "model", number>;

const LOCAL = "127.0.0.1";

/** Resolves to the ports of all parts that will be started. Throws `CannotStart` when one cannot be had. */
export async function choosePorts(config: Config): Promise<Ports> {
  const wishes: Partial<Record<keyof Ports, PortWish>> = {
    api: { part: "the API", variable: "PORT", host: config.HOST, port: config.PORT },
    ...(config.DATABASE_URL === undefined && {
      postgres: {
        part: "Postgres",
        variable: "EMBEDDED_POSTGRES_PORT",
        host: LOCAL,
        port: config.EMBEDDED_POSTGRES_PORT,
      },
    }),
    ...(config.TEMPORAL_ADDRESS === undefined && {
      temporal: {
        part: "Temporal",
        variable: "EMBEDDED_TEMPORAL_PORT",
        host: LOCAL,
        port: config.EMBEDDED_TEMPORAL_PORT,
        otherwise: `set TEMPORAL_ADDRESS=${LOCAL}:${config.EMBEDDED_TEMPORAL_PORT} if it is a Temporal server that you want to use`,
      },
      temporalUi: {
        part: "the Temporal UI",
        variable: "EMBEDDED_TEMPORAL_UI_PORT",
        host: LOCAL,
        port: config.EMBEDDED_TEMPORAL_UI_PORT,
      },
    }),
    ...(needsScriptedModel(config) && {
      model: { part: "the demo model", variable: "EMBEDDED_MODEL_PORT", host: LOCAL, port: config.EMBEDDED_MODEL_PORT },
    }),
  };
  const found = await findPorts(Object.values(wishes));
  const ports: Ports = { api: 0, postgres: 0, temporal: 0, temporalUi: 0, model: 0 };
  for (const [index, part] of (Object.keys(wishes) as (keyof Ports)[]).entries()) ports[part] = found[index] ?? 0;
  return ports;
}

/** Without key and address there is no model to ask. */
export function needsScriptedModel(config: Config): boolean {
  return config.OPENAI_API_KEY === undefined && config.OPENAI_BASE_URL === undefined;
}
