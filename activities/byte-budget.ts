// How many bytes of something a process holds in memory at once: who wants more waits until others have let go, in order.

interface Waiting {
  bytes: number;
  admit: () => void;
}

export class ByteBudget {
  readonly #total: number;
  readonly #queue: Waiting[] = [];
  #taken = 0;

  constructor(total: number) {
    this.#total = total;
  }

  /** Resolves to the function that gives the bytes back. More than there is in all is admitted alone. Throws the signal's reason. */
  async take(bytes: number, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    const wanted = Math.min(bytes, this.#total);
    if (this.#queue.length > 0 || this.#taken + wanted > this.#total) await this.#wait(wanted, signal);
    else this.#taken += wanted;
    let isTaken = true;
    return () => {
      if (isTaken) this.#giveBack(wanted);
      isTaken = false;
    };
  }

  #wait(bytes: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting = { bytes, admit };
      const leave = () => {
        this.#queue.splice(this.#queue.indexOf(waiting), 1);
        this.#admitNext();
        reject(signal.reason as Error);
      };
      function admit() {
        signal.removeEventListener("abort", leave);
        resolve();
      }
      signal.addEventListener("abort", leave, { once: true });
      this.#queue.push(waiting);
    });
  }

  #giveBack(bytes: number): void {
    this.#taken -= bytes;
    this.#admitNext();
  }

  #admitNext(): void {
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      if (this.#taken + next.bytes > this.#total) return;
      this.#queue.shift();
      this.#taken += next.bytes;
      next.admit();
    }
  }
}
