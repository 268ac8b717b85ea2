// Which endpoint makes embeddings, from the settings.
import type { EmbedderOptions } from "./embeddings.ts";

const OPENAI_URL = "https://api.openai.com/v1";
/** As EMBEDDINGS_MODEL: no embeddings, whatever keys there are. */
const NO_MODEL = "none";

/** The settings of config.ts that matter here. */
export interface EmbeddingSettings {
  OPENAI_API_KEY?: string | undefined;
  OPENAI_BASE_URL?: string | undefined;
  EMBEDDINGS_BASE_URL?: string | undefined;
  EMBEDDINGS_API_KEY?: string | undefined;
  EMBEDDINGS_MODEL: string;
  EMBEDDINGS_DIMENSIONS: number;
  EMBEDDINGS_SEND_DIMENSIONS: boolean;
}

/** Undefined when there is none, so that files are searched by their words alone. */
export function chooseEmbeddings(settings: EmbeddingSettings): EmbedderOptions | undefined {
  const endpoint = chooseEndpoint(settings);
  if (endpoint === undefined || settings.EMBEDDINGS_MODEL === NO_MODEL) return undefined;
  return {
    ...endpoint,
    model: settings.EMBEDDINGS_MODEL,
    dimensions: settings.EMBEDDINGS_DIMENSIONS,
    send_dimensions: settings.EMBEDDINGS_SEND_DIMENSIONS,
  };
}

/** A key for chat is sent to OpenAI alone, and only where chat goes to OpenAI, too. */
function chooseEndpoint(settings: EmbeddingSettings): { base_url: string; api_key: string } | undefined {
  const { EMBEDDINGS_BASE_URL: base_url, EMBEDDINGS_API_KEY, OPENAI_API_KEY, OPENAI_BASE_URL } = settings;
  if (base_url !== undefined) return { base_url, api_key: EMBEDDINGS_API_KEY ?? "none" };
  const api_key = EMBEDDINGS_API_KEY ?? (OPENAI_BASE_URL === undefined ? OPENAI_API_KEY : undefined);
  return api_key === undefined ? undefined : { base_url: OPENAI_URL, api_key };
}
