// Turns that workers may have died of. A worker makes one of them at a time: otherwise those that are innocent would die
// with the guilty one again and again, until their tries are used up.

export class Suspects {
  #isTaken = false;

  /** Returns the function to leave with; undefined while this process has another one in hand. */
  enter(): (() => void) | undefined {
    if (this.#isTaken) return undefined;
    this.#isTaken = true;
    return () => {
      this.#isTaken = false;
    };
  }
}
