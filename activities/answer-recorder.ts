// What a model writes to the user, made into the parts of one message and its deltas. Images that code has drawn come
// first; what the text refers to becomes annotations, each in one piece with its text.
import type { AnnotationDelta, ContentDelta } from "../contract/events.ts";
import type { Annotation, ContentPart } from "../contract/message.ts";
import type { EventChannel } from "../db/event-writer.ts";
import type { FinishedMessage } from "../db/run-turns.ts";
import { countContentTokens } from "../model/tokens.ts";
import { markersOf } from "../tools/citation-markers.ts";
import type { PassageNumber } from "../tools/citation-markers.ts";
import { ReferenceFinder } from "../tools/references.ts";
import type { Piece } from "../tools/references.ts";
import { linksTo } from "../tools/sandbox-links.ts";
import type { LinkedFile } from "../tools/sandbox-links.ts";
import type { Passages } from "./passages.ts";

/** What an answer can refer to. */
export interface AnswerSources {
  /** What the run's searches have found. */
  passages: Passages;
  /** Files that images of the run are in which no answer has shown yet. */
  images: readonly string[];
  /** Names of the files that the thread's code has written. */
  fileNames: readonly string[];
  /** The File object of such a file, made now if there was none; undefined when it is gone. */
  publishFile(name: string): Promise<string | undefined>;
}

type Reference = PassageNumber | LinkedFile;

interface WrittenPart {
  type: "text" | "refusal";
  value: string;
  /** Characters of the value, as the indexes of annotations count them. */
  length: number;
  annotations: Annotation[];
  /** Whether readers know of it. */
  isBegun: boolean;
}

/** The message of one turn, from its first word on. */
export class AnswerRecorder {
  readonly #id: string;
  readonly #channel: EventChannel;
  readonly #sources: AnswerSources | undefined;
  /** Looks for references, in a run that has something to refer to. */
  readonly #references: ReferenceFinder<Reference> | undefined;
  /** In the order in which the model began them; behind the images. */
  readonly #parts: WrittenPart[] = [];

  /** @param id of the message, which is open */
  constructor(id: string, channel: EventChannel, sources: AnswerSources | undefined) {
    this.#id = id;
    this.#channel = channel;
    this.#sources = sources;
    this.#references = sources && findReferences(sources);
    for (const [index, file_id] of this.#images.entries()) {
      this.#append("", () => ({ index, type: "image_file", image_file: { file_id } }));
    }
  }

  /** All that the model wrote. */
  get written(): string {
    return this.#parts.map(({ value }) => value).join(" ");
  }

  /** What the model wrote last. */
  get lastType(): "text" | "refusal" {
    return this.#parts.at(-1)?.type ?? "text";
  }

  async write(type: "text" | "refusal", text: string): Promise<void> {
    let part = this.#parts.find((one) => one.type === type);
    if (part === undefined) {
      // What is held back belongs to the part before, which readers have to know first.
      await this.settle();
      part = { type, value: "", length: 0, annotations: [], isBegun: false };
      this.#parts.push(part);
      if (text === "") this.#say(part, "");
    }
    if (type === "refusal" || this.#references === undefined) this.#say(part, text);
    else await this.#sayAll(part, this.#references.take(text));
  }

  /** Says what was held back: nothing follows to which it might belong. */
  async settle(): Promise<void> {
    const part = this.#parts.find(({ type }) => type === "text");
    if (part !== undefined) await this.#sayAll(part, this.#references?.release() ?? []);
  }

  /** The message as it is stored. */
  finish(): FinishedMessage {
    const images = this.#images.map((file_id): ContentPart => ({ type: "image_file", image_file: { file_id } }));
    const written = this.#parts.map(({ type, value, annotations }): ContentPart =>
      type === "text" ? { type, text: { value, annotations } } : { type, refusal: value },
    );
    const content = [...images, ...written];
    return { id: this.#id, content, tokens: countContentTokens(content) };
  }

  get #images(): readonly string[] {
    return this.#sources?.images ?? [];
  }

  #indexOf(part: WrittenPart): number {
    return this.#images.length + this.#parts.indexOf(part);
  }

  async #sayAll(part: WrittenPart, pieces: readonly Piece<Reference>[]): Promise<void> {
    for (const piece of pieces) {
      const annotation =
        piece.kind === "reference" ? await this.#annotate(part, piece.text, piece.reference) : undefined;
      if (annotation === undefined) this.#say(part, piece.text);
      else this.#sayAnnotated(part, annotation);
    }
  }

  /** Undefined when there is no longer what the text refers to. */
  async #annotate(part: WrittenPart, text: string, reference: Reference): Promise<Annotation | undefined> {
    const place = { text, start_index: part.length, end_index: part.length + countCharacters(text) };
    if ("passage" in reference) {
      const file_id = this.#sources?.passages.fileOf(reference);
      return file_id === undefined ? undefined : { type: "file_citation", ...place, file_citation: { file_id } };
    }
    const file_id = await this.#sources?.publishFile(reference.name);
    return file_id === undefined ? undefined : { type: "file_path", ...place, file_path: { file_id } };
  }

  #say(part: WrittenPart, text: string): void {
    const isFirst = !part.isBegun;
    if (text === "" && !isFirst) return;
    part.isBegun = true;
    part.value += text;
    if (this.#references !== undefined) part.length += countCharacters(text);
    const { type } = part;
    const index = this.#indexOf(part);
    this.#append(text, (value) => toDelta(type, index, value, isFirst), `${type} ${index}`);
  }

  /** A reference comes in one piece together with what it means. */
  #sayAnnotated(part: WrittenPart, annotation: Annotation): void {
    if (!part.isBegun) this.#say(part, "");
    const { text: value } = annotation;
    part.value += value;
    part.length = annotation.end_index;
    const delta = toAnnotationDelta(annotation, part.annotations.length);
    part.annotations.push(annotation);
    const index = this.#indexOf(part);
    this.#append("", () => ({ index, type: "text", text: { value, annotations: [delta] } }));
  }

  #append(text: string, render: (text: string) => ContentDelta, key?: string): void {
    const id = this.#id;
    const whole = (value: string) => ({ id, object: "thread.message.delta", delta: { content: [render(value)] } });
    this.#channel.append("thread.message.delta", text, whole, key);
  }
}

function findReferences({ passages, fileNames }: AnswerSources): ReferenceFinder<Reference> | undefined {
  const isShown = (passage: PassageNumber) => passages.fileOf(passage) !== undefined;
  const matchers = [
    ...(passages.isEmpty ? [] : [markersOf(isShown)]),
    ...(fileNames.length === 0 ? [] : [linksTo(fileNames)]),
  ];
  return matchers.length === 0 ? undefined : new ReferenceFinder<Reference>(matchers);
}

function toDelta(type: "text" | "refusal", index: number, value: string, isFirst: boolean): ContentDelta {
  if (type === "refusal") return { index, type, refusal: value };
  return { index, type, text: isFirst ? { value, annotations: [] } : { value } };
}

function toAnnotationDelta(annotation: Annotation, index: number): AnnotationDelta {
  if (annotation.type === "file_path") return { index, ...annotation };
  return { index, ...annotation, file_citation: { ...annotation.file_citation, quote: "" } };
}

/** Annotations count characters, not UTF-16 units. */
function countCharacters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
