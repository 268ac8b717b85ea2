// What comes out of a cell of code, made into the outputs of its call: what it prints as text, what it draws as files.
import { newBlobKey } from "../blobs/blobs.ts";
import type { Blobs } from "../blobs/blobs.ts";
import { newId } from "../contract/ids.ts";
import { MAX_CODE_LOGS_LENGTH } from "../contract/limits.ts";
import type { CodeOutput } from "../contract/run-step.ts";
import type { NewFile } from "../db/files.ts";
import type { CellDone, CellEvent, Loss } from "../sandbox/driver.ts";

/** What has come out so far. */
export interface CellOutputs {
  outputs: CodeOutput[];
  /** Those among the outputs that may not be written down as files yet. */
  images: NewFile[];
}

export interface RecordedCell extends CellOutputs {
  notes: string[];
}

export class CellRecorder {
  readonly #blobs: Blobs;
  readonly #projectId: string;
  readonly #outputs: CodeOutput[] = [];
  #images: NewFile[] = [];
  readonly #notes: string[] = [];
  #length = 0;
  /** Characters, or bytes of those that the sandbox itself has left out. */
  #leftOut = 0;

  constructor(blobs: Blobs, projectId: string) {
    this.#blobs = blobs;
    this.#projectId = projectId;
  }

  async record(event: CellEvent, signal: AbortSignal): Promise<void> {
    switch (event.type) {
      case "logs":
        this.#log(event.text);
        break;
      case "image":
        await this.#keepImage(event.data, signal);
        break;
      case "done":
        if (event.traceback !== undefined) this.#log(event.traceback);
        this.#leftOut += event.droppedBytes;
        this.#notes.push(...describeEnd(event));
        break;
    }
  }

  /** A copy. */
  get soFar(): CellOutputs {
    return { outputs: structuredClone(this.#outputs), images: [...this.#images] };
  }

  /** These are written down. */
  forget(images: readonly NewFile[]): void {
    this.#images = this.#images.filter((image) => !images.includes(image));
  }

  finish(): RecordedCell {
    if (this.#leftOut > 0) this.#append(`\n[… ${this.#leftOut} more characters are left out …]\n`);
    return { ...this.soFar, notes: this.#notes };
  }

  #log(text: string): void {
    const storable = text.replaceAll("\u0000", "\uFFFD").toWellFormed();
    const kept = storable.slice(0, Math.max(MAX_CODE_LOGS_LENGTH - this.#length, 0));
    this.#length += kept.length;
    this.#leftOut += storable.length - kept.length;
    this.#append(kept.toWellFormed());
  }

  #append(text: string): void {
    const last = this.#outputs.at(-1);
    if (text === "") return;
    if (last?.type === "logs") last.logs += text;
    else this.#outputs.push({ type: "logs", logs: text });
  }

  async #keepImage(data: Uint8Array, signal: AbortSignal): Promise<void> {
    const id = newId("file-");
    const blob = newBlobKey();
    const written = await this.#blobs.write(blob, once(data), signal);
    this.#images.push({
      id,
      project_id: this.#projectId,
      filename: `${id}.png`,
      purpose: "assistants_output",
      content_type: "image/png",
      expires_after_seconds: null,
      blob,
      ...written,
    });
    this.#outputs.push({ type: "image", image: { file_id: id } });
  }
}

/** What the traceback does not say. */
function describeEnd({ status, loss }: CellDone): string[] {
  const stopped = status === "timeout" ? ["(The code was stopped: it took too long.)"] : [];
  if (loss === undefined) return stopped;
  return [...stopped, `(The Python has ended${WHY[loss]}. Files that this call has written are gone with it.)`];
}

const WHY: Record<Loss, string> = {
  memory: ": it needed more memory than there is",
  cpu: ": it computed for too long",
  disk: ": its files took more room than there is",
  files: ": it made more files than there may be",
  threads: ": it began more threads than there may be",
  forbidden: ": it did what is forbidden here",
  protocol: "",
  killed: "",
  exited: "",
};

async function* once(data: Uint8Array): AsyncGenerator<Uint8Array> {
  yield data;
}
