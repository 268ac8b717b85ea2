// Shows what a cell puts out while it works on, in few pieces: the first after a moment, the further ones at growing distances.
import { CODE_SHOW_MAX_MS, CODE_SHOW_MIN_MS } from "../contract/limits.ts";
import { isUnavailable } from "../db/unavailable.ts";

export class LiveOutputs {
  readonly #show: () => Promise<void>;
  readonly #onError: (error: unknown) => void;
  #pause = CODE_SHOW_MIN_MS;
  #timer: NodeJS.Timeout | undefined;
  #showing: Promise<void> = Promise.resolve();
  #hasNews = false;
  #isStopped = false;

  /**
   * @param show writes down all that there is. While the database cannot be had it waits for the next time, or for the end
   * @param onError hears of what else goes wrong
   */
  constructor(show: () => Promise<void>, onError: (error: unknown) => void) {
    this.#show = show;
    this.#onError = onError;
  }

  /** There is something new. */
  note(): void {
    this.#hasNews = true;
    this.#schedule();
  }

  /** Resolves when nothing more is shown from here. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    await this.#showing;
  }

  #schedule(): void {
    if (this.#isStopped) return;
    this.#timer ??= setTimeout(() => {
      this.#showing = this.#showNow();
    }, this.#pause);
  }

  async #showNow(): Promise<void> {
    this.#hasNews = false;
    this.#pause = Math.min(2 * this.#pause, CODE_SHOW_MAX_MS);
    try {
      await this.#show();
    } catch (error) {
      if (isUnavailable(error)) this.#hasNews = true;
      else this.#onError(error);
    }
    this.#timer = undefined;
    if (this.#hasNews) this.#schedule();
  }
}
