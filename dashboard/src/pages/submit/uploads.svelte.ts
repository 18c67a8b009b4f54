// Files on their way to the server. A connection that breaks is taken up where it was cut off, and so is a file
// that is paused, or chosen again after the page was closed.
import { words } from '../../api/client';
import { Rate } from './rate';
import { drop, send } from './tus';

const AT_ONCE = 2;

export class Sending {
  sent = $state(0);
  state = $state<'waiting' | 'sending' | 'cut' | 'paused' | 'there' | 'refused'>('waiting');
  perSecond = $state(0); // bytes; 0 where nobody knows
  problem = $state('');
  asset = $state('');
  over: AbortController | undefined;
  readonly rate = new Rate();

  constructor(
    readonly file: File,
    readonly id: number,
  ) {}

  get percent(): number {
    return this.file.size ? (100 * this.sent) / this.file.size : 100;
  }

  /** Seconds to its end; null where nobody knows. */
  get left(): number | null {
    return this.perSecond ? (this.file.size - this.sent) / this.perSecond : null;
  }

  /** It stands still, for this reason. */
  rest(state: 'cut' | 'paused' | 'refused', problem = ''): void {
    this.state = state;
    this.problem = problem;
    this.perSecond = 0;
    this.rate.rest();
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
    return this.all.some(({ state }) => state !== 'there' && state !== 'refused');
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

  /** What has arrived stays; another one has its place meanwhile. */
  pause(sending: Sending): void {
    sending.rest('paused');
    sending.over?.abort();
    this.#go();
  }

  /** Once more, from where it was, when there is a place. */
  again(sending: Sending): void {
    sending.state = 'waiting';
    this.#go();
  }

  #go(): void {
    const running = this.all.filter(({ state }) => state === 'sending' || state === 'cut').length;
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
        if (over.signal.aborted) return;
        sending.sent = bytes;
        sending.state = 'sending';
        sending.perSecond = sending.rate.after(bytes, performance.now());
      },
      broke: () => {
        if (!over.signal.aborted) sending.rest('cut');
      },
    };
    try {
      sending.asset = await send(sending.file, told, over.signal);
      sending.sent = sending.file.size;
      sending.state = 'there';
    } catch (error) {
      if (over.signal.aborted) return;
      sending.rest('refused', words(error));
    }
    this.#go();
  }
}
