// Walks through an XML text with its namespaces. Text that is not well-formed is refused.
import { SaxesParser } from "saxes";
import { MAX_MARKUP_DEPTH } from "../../contract/limits.ts";
import { damaged, unreadable } from "../refusal.ts";

export interface XmlElement {
  /** Without prefix. */
  name: string;
  namespace: string;
  /** By local name; of those with a namespace as `{namespace}name` too. */
  attributes: ReadonlyMap<string, string>;
}

export interface XmlVisitor {
  open?: (element: XmlElement) => void;
  close?: (element: XmlElement) => void;
  text?: (text: string) => void;
}

export function walkXml(xml: string, visitor: XmlVisitor): void {
  const parser = new SaxesParser({ xmlns: true });
  const path: XmlElement[] = [];
  parser.on("error", (error) => {
    throw damaged(error);
  });
  parser.on("opentag", (tag) => {
    if (path.length >= MAX_MARKUP_DEPTH) throw unreadable(`its elements are nested more than ${MAX_MARKUP_DEPTH} deep`);
    const attributes = new Map<string, string>();
    for (const { local, uri, value } of Object.values(tag.attributes)) {
      attributes.set(local, value);
      if (uri !== "") attributes.set(`{${uri}}${local}`, value);
    }
    const element = { name: tag.local, namespace: tag.uri, attributes };
    path.push(element);
    visitor.open?.(element);
  });
  parser.on("closetag", () => {
    const element = path.pop();
    if (element !== undefined) visitor.close?.(element);
  });
  parser.on("text", (text) => visitor.text?.(text));
  parser.on("cdata", (text) => visitor.text?.(text));
  parser.write(xml).close();
}
