// Finds out whose request it is, before anything else is looked at.
import type { FastifyRequest } from "fastify";
import { incorrectApiKey, missingApiKey } from "../contract/errors.ts";
import { API_KEY_CACHE_MS, MAX_CACHED_API_KEYS } from "../contract/limits.ts";
import { findProjectByKey } from "../db/api-keys.ts";
import type { Queryable } from "../db/pool.ts";

/** Whose request it is; routes spread it into the queries. */
export interface Caller {
  project_id: string;
}

declare module "fastify" {
  interface FastifyRequest {
    caller: Caller;
  }
}

/** Returns the hook that sets `request.caller`. Throws (401) when the request carries no key that is known. */
export function createAuthentication(db: Queryable): (request: FastifyRequest) => Promise<void> {
  const known = new Map<string, { caller: Caller; until: number }>();

  return async (request) => {
    const key = readKey(request.headers.authorization);
    if (key === undefined) throw missingApiKey();
    const cached = known.get(key);
    if (cached !== undefined && cached.until > performance.now()) {
      request.caller = cached.caller;
      return;
    }
    known.delete(key);
    const project_id = await findProjectByKey(db, key);
    if (project_id === undefined) throw incorrectApiKey(key);
    request.caller = { project_id };
    known.set(key, { caller: request.caller, until: performance.now() + API_KEY_CACHE_MS });
    if (known.size > MAX_CACHED_API_KEYS) known.delete(known.keys().next().value as string);
  };
}

/** The key of `Bearer KEY`, or of `Basic …` with the key as the password. Undefined when there is neither. */
function readKey(authorization: string | undefined): string | undefined {
  const [, scheme, credentials = ""] = /^(bearer|basic)(?: +(.*))?$/i.exec(authorization ?? "") ?? [];
  if (scheme === undefined) return undefined;
  if (scheme.toLowerCase() === "bearer") return credentials.trim();
  const pair = Buffer.from(credentials, "base64").toString();
  return pair.slice(pair.indexOf(":") + 1);
}
