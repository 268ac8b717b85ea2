// Reads request bodies: JSON or nothing. What comes out can be stored in Postgres as it is.
import type { FastifyInstance, FastifyRequest } from "fastify";
import { brokenJson, nulCharacter, unsupportedMediaType } from "../contract/errors.ts";
import { formatPath } from "../contract/validation.ts";

/** Accepts `application/json` and bodies of no stated type. Bodies of other types are refused unless they are empty. */
export function acceptJsonBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "string" }, async (_request: FastifyRequest, text: string) =>
    parseJson(text),
  );
  app.addContentTypeParser("*", { parseAs: "string" }, async (request: FastifyRequest, text: string) => {
    const type = request.headers["content-type"];
    if (type !== undefined && text !== "") throw unsupportedMediaType(type);
    return parseJson(text);
  });
}

/** Escapes that may stand for what Postgres refuses: NUL, and halves of surrogate pairs. Most bodies have none. */
const SUSPICIOUS_ESCAPE = /\\u(?:0000|d[89a-f])/i;

/** An empty body is no body. Throws (400) when the text is not JSON or holds a NUL character. */
export function parseJson(text: string): unknown {
  if (text.trim() === "") return undefined;
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw brokenJson();
  }
  if (SUSPICIOUS_ESCAPE.test(text)) makeStorable(body);
  return body;
}

/** A value inside a body, with the way to it. */
interface Place {
  value: unknown;
  key: string | number;
  parent: Place | undefined;
}

/** Replaces halves of surrogate pairs by U+FFFD, in place. Without recursion: a client decides how deep a body is. */
function makeStorable(body: unknown): void {
  const open: Place[] = [{ value: body, key: "", parent: undefined }];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    if (typeof place.value !== "object" || place.value === null) continue;
    const container = place.value as Record<string, unknown>;
    for (const [name, value] of Object.entries(container)) {
      const inside: Place = { value, key: Array.isArray(container) ? Number(name) : name, parent: place };
      if (name.includes("\0") || (typeof value === "string" && value.includes("\0"))) {
        throw nulCharacter(formatPath(pathTo(inside)).replaceAll("\0", "\\u0000"));
      }
      if (!name.isWellFormed()) delete container[name];
      if (typeof value === "string") {
        define(container, name.toWellFormed(), value.toWellFormed());
      } else {
        if (!name.isWellFormed()) define(container, name.toWellFormed(), value);
        open.push(inside);
      }
    }
  }
}

/** Plain assignment would call the setter of `__proto__`. */
function define(container: object, name: string, value: unknown): void {
  Object.defineProperty(container, name, { value, writable: true, enumerable: true, configurable: true });
}

function pathTo(place: Place): (string | number)[] {
  const path = [];
  for (let at = place; at.parent !== undefined; at = at.parent) path.unshift(at.key);
  return path;
}
