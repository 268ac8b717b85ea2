// The links by which a model gives files to the user, sandbox:/mnt/data/…: found in what it says. Pure.
import type { Matcher } from "./references.ts";

/** Where the files are, as code sees them. */
export const WORKSPACE = "/mnt/data";
const START = `sandbox:${WORKSPACE}/`;
const WORD = /^[\p{L}\p{N}_]/u;

export interface LinkedFile {
  name: string;
}

/** Finds links to these files, named as they are or as an address writes them. A link to another one is text. */
export function linksTo(names: Iterable<string>): Matcher<LinkedFile> {
  // The longest first: one name may be the beginning of another.
  const links = [...names]
    .flatMap((name) =>
      [...new Set([name, encodeURI(name), encodeURIComponent(name)])].map((link) => ({ link: START + link, name })),
    )
    .toSorted((one, other) => other.link.length - one.link.length);
  return {
    first: "s",
    reach: (links[0]?.link.length ?? 0) + 2,
    match(text, isWhole) {
      for (const { link, name } of links) {
        if (!isWhole && text.length <= link.length && link.startsWith(text)) return "maybe";
        if (text.startsWith(link) && !WORD.test(text.slice(link.length)))
          return { length: link.length, reference: { name } };
      }
      return undefined;
    },
  };
}
