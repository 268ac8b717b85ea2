// Which endpoints chat models are asked at, from the settings.
import { readFile } from "node:fs/promises";
import { Routes } from "./router.ts";
import type { RouterOptions } from "./router.ts";

const OPENAI_URL = "https://api.openai.com/v1";

/** The settings of config.ts that matter here. */
export interface ChatSettings {
  OPENAI_API_KEY?: string | undefined;
  OPENAI_BASE_URL?: string | undefined;
  MODELS_FILE?: string | undefined;
  DEFAULT_CONTEXT_WINDOW: number;
}

/** Reads MODELS_FILE, if there is one. Throws when it is not what docs/configuration.md says. */
export async function readEndpoints(settings: ChatSettings): Promise<Pick<RouterOptions, "routes" | "fallback">> {
  const { OPENAI_API_KEY, OPENAI_BASE_URL, MODELS_FILE, DEFAULT_CONTEXT_WINDOW } = settings;
  return {
    routes: MODELS_FILE === undefined ? [] : Routes.parse(JSON.parse(await readFile(MODELS_FILE, "utf8"))),
    fallback: {
      base_url: OPENAI_BASE_URL ?? OPENAI_URL,
      api_key: OPENAI_API_KEY ?? "none",
      context_window: DEFAULT_CONTEXT_WINDOW,
    },
  };
}
