// What became of what somebody did, for a few seconds.
import { words } from '../api/client';

interface Toast {
  id: number;
  text: string;
  isBad: boolean;
}

class Toasts {
  all = $state<Toast[]>([]);
  #next = 0;

  say(text: string, isBad = false): void {
    if (!text) return;
    const id = this.#next++;
    this.all.push({ id, text, isBad });
    setTimeout(() => this.remove(id), isBad ? 12_000 : 5_000);
  }

  remove(id: number): void {
    this.all = this.all.filter((each) => each.id !== id);
  }

  /** Do it, say what was done, or why not. Whether it was done. */
  async tell<T>(doing: Promise<T>, done: string | ((value: T) => string)): Promise<boolean> {
    try {
      const value = await doing;
      this.say(typeof done === 'string' ? done : done(value));
      return true;
    } catch (error) {
      this.say(words(error), true);
      return false;
    }
  }
}

export const toasts = new Toasts();
