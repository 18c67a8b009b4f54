// Files on their way to the server. A connection that breaks is taken up where it was cut off, and so is a file
// that is chosen again after the page was closed.
import { Upload, type DetailedError } from 'tus-js-client';
import { api, data, words } from '../../api/client';

const AT_ONCE = 2;
const CHUNK = 32 * 1024 * 1024; // bytes in a request: a proxy may limit them, and what broke off is repeated

export class Sending {
  sent = $state(0);
  state = $state<'waiting' | 'sending' | 'paused' | 'there' | 'refused'>('waiting');
  problem = $state('');
  asset = $state('');
  upload: Upload | undefined;

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
    this.#go();
    if (sending.state !== 'there') await sending.upload?.abort(true).catch(() => undefined);
  }

  /** The page is left: what has arrived so far is taken up when the file is chosen again. */
  stop(): void {
    for (const { upload, state } of this.all) if (state !== 'there') void upload?.abort();
    this.all = [];
  }

  /** Once more, from where it was. */
  again(sending: Sending): void {
    sending.state = 'sending';
    sending.problem = '';
    sending.upload?.start();
  }

  #go(): void {
    const running = this.all.filter(({ state }) => state === 'sending' || state === 'paused').length;
    for (const next of this.all
      .filter(({ state }) => state === 'waiting')
      .slice(0, Math.max(0, AT_ONCE - running)))
      void this.#send(next);
  }

  async #send(sending: Sending): Promise<void> {
    sending.state = 'sending';
    const upload = (sending.upload = new Upload(sending.file, {
      endpoint: '/api/v1/uploads',
      chunkSize: CHUNK,
      retryDelays: [0, 500, 1000, 2000, 4000, 8000, 8000, 8000, 15000, 15000, 30000],
      metadata: { filename: sending.file.name },
      removeFingerprintOnSuccess: true,
      onProgress: (sent) => {
        sending.sent = sent;
        sending.state = 'sending';
      },
      onShouldRetry: (error) => {
        const status = (error as DetailedError).originalResponse?.getStatus() ?? 0;
        const again = status === 0 || status >= 500 || status === 409 || status === 423 || status === 429;
        if (again) sending.state = 'paused';
        return again;
      },
      onError: (error) => {
        sending.state = 'refused';
        sending.problem = told(error);
        this.#go();
      },
      onSuccess: () => void this.#arrived(sending),
    }));
    const [earlier] = await upload.findPreviousUploads();
    if (earlier) upload.resumeFromPreviousUpload(earlier);
    if (this.all.includes(sending)) upload.start(); // else it was removed meanwhile
  }

  async #arrived(sending: Sending): Promise<void> {
    try {
      const id = sending.upload?.url?.split('/').at(-1) ?? '';
      const found = await data(
        api.GET('/api/v1/uploads/{upload_id}', { params: { path: { upload_id: id } } }),
      );
      if (!found.asset) throw new Error(found.error ?? 'The file has arrived and was not accepted.');
      sending.sent = sending.file.size;
      sending.asset = found.asset;
      sending.state = 'there';
    } catch (error) {
      sending.state = 'refused';
      sending.problem = words(error);
    }
    this.#go();
  }
}

/** What the server said, if it is what refused; the library's own words are for developers. */
function told(error: Error): string {
  const body = (error as DetailedError).originalResponse?.getBody();
  try {
    return (JSON.parse(body ?? '') as { error: { message: string } }).error.message;
  } catch {
    return 'The server did not answer for a while.';
  }
}
