// Files on their way to the server. A connection that breaks is taken up where it was cut off, and so is a file
// that is chosen again after the page was closed.
import { words } from '../../api/client';
import { drop, send } from './tus';

const AT_ONCE = 2;

export class Sending {
  sent = $state(0);
  state = $state<'waiting' | 'sending' | 'paused' | 'there' | 'refused'>('waiting');
  problem = $state('');
  asset = $state('');
  over: AbortController | undefined;

  constructor(
    readonly file: File,
    readonly id: number,
  ) {}

  get percent(): number {
    return this.file.size ? (100 * this.sent) / this.file.size : 100;
  }
}

export class Uploads {
  all = $state.raw<readonly Sending[]>([]);
  #next = 0;

  /** The ids of what has arrived. */
  get assets(): string[] {
    return this.all.flatMap(({ asset }) => asset || []);
  }

  get isBusy(): boolean {
    return this.all.some(({ state }) => state === 'waiting' || state === 'sending' || state === 'paused');
  }

  add(files: Iterable<File>): void {
    this.all = [...this.all, ...Array.from(files, (file) => new Sending(file, this.#next++))];
    this.#go();
  }

  async remove(sending: Sending): Promise<void> {
    this.all = this.all.filter((each) => each !== sending);
    sending.over?.abort();
    this.#go();
    if (sending.state !== 'there') await drop(sending.file);
  }

  /** The page is left: what has arrived so far is taken up when the file is chosen again. */
  stop(): void {
    for (const { over } of this.all) over?.abort();
    this.all = [];
  }

  /** Once more, from where it was. */
  again(sending: Sending): void {
    void this.#send(sending);
  }

  #go(): void {
    const running = this.all.filter(({ state }) => state === 'sending' || state === 'paused').length;
    for (const next of this.all
      .filter(({ state }) => state === 'waiting')
      .slice(0, Math.max(0, AT_ONCE - running)))
      void this.#send(next);
  }

  async #send(sending: Sending): Promise<void> {
    const over = (sending.over = new AbortController());
    sending.state = 'sending';
    sending.problem = '';
    const told = {
      sent: (bytes: number) => {
        sending.sent = bytes;
        sending.state = 'sending';
      },
      broke: () => (sending.state = 'paused'),
    };
    try {
      sending.asset = await send(sending.file, told, over.signal);
      sending.sent = sending.file.size;
      sending.state = 'there';
    } catch (error) {
      if (over.signal.aborted) return;
      sending.state = 'refused';
      sending.problem = words(error);
    }
    this.#go();
  }
}
