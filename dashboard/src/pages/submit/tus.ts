// A file on its way by tus 1.0 (tus.io/protocols/resumable-upload). Ours: tus-js-client is 17 kB compressed, for
// servers of every kind and browsers of long ago; this is what of it is spoken here.
import { api, data, Refusal, refusal } from '../../api/client';
import { pause } from '../../live/stream';

const CHUNK = 32 * 1024 * 1024; // bytes in a request: a proxy may limit them, and what broke off is repeated
const PAUSES = [0, 500, 1000, 2000, 4000, 8000, 8000, 8000, 15_000, 15_000, 30_000]; // ms
const SPOKEN = { 'Tus-Resumable': '1.0.0' } as const;

/** What is told of a file on its way. */
export interface Told {
  sent(bytes: number): void;
  /** The connection was cut off; it is tried again. */
  broke(): void;
}

/** The asset it has become. It goes on where it was cut off, in an earlier visit too. Throws a Refusal. */
export async function send(file: File, told: Told, signal: AbortSignal): Promise<string> {
  let reached = 0;
  for (let tries = 0; ;) {
    try {
      const path = { upload_id: remembered(file) ?? (await begin(file, signal)) };
      const found = await data(api.GET('/api/v1/uploads/{upload_id}', { params: { path }, signal }));
      if (found.asset) {
        forget(file);
        return found.asset;
      }
      if (found.offset > reached) [reached, tries] = [found.offset, 0];
      await patch(path.upload_id, file, found.offset, told, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Refusal) || tries === PAUSES.length) throw error;
      if (error.status === 404) forget(file);
      else if (!passes(error.status)) throw error;
      told.broke();
      await pause(PAUSES[tries++]!, signal);
      signal.throwIfAborted();
    }
  }
}

/** What has arrived of it is not wanted any more. */
export async function drop(file: File): Promise<void> {
  const id = remembered(file);
  if (id === null) return;
  forget(file);
  const params = { path: { upload_id: id }, header: SPOKEN };
  await api.DELETE('/api/v1/uploads/{upload_id}', { params }).catch(() => undefined);
}

async function begin(file: File, signal: AbortSignal): Promise<string> {
  if (!file.size) throw new Refusal(422, 'EMPTY', 'This file is empty.');
  const name = btoa(String.fromCharCode(...new TextEncoder().encode(file.name)));
  const header = { ...SPOKEN, 'Upload-Length': file.size, 'Upload-Metadata': `filename ${name}` };
  const { response } = await api.POST('/api/v1/uploads', { params: { header }, signal });
  const id = response.headers.get('Location')!.split('/').at(-1)!;
  localStorage.setItem(called(file), id);
  return id;
}

/** Not by fetch, which tells of no progress. */
function patch(id: string, file: File, offset: number, told: Told, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('PATCH', `/api/v1/uploads/${id}`);
    request.setRequestHeader('Tus-Resumable', SPOKEN['Tus-Resumable']);
    request.setRequestHeader('Upload-Offset', String(offset));
    request.setRequestHeader('Content-Type', 'application/offset+octet-stream');
    request.upload.onprogress = ({ loaded }) => told.sent(offset + loaded);
    request.onload = () => {
      if (request.status < 300) resolve();
      else void refusal(new Response(request.responseText, { status: request.status })).then(reject);
    };
    request.onerror = () =>
      file
        .slice(offset, offset + 1)
        .arrayBuffer()
        .then(
          () => reject(new Refusal(0, 'AWAY', 'The server did not answer for a while.')),
          () =>
            reject(new Refusal(422, 'CHANGED', 'The file was changed since it was chosen: choose it again.')),
        );
    request.onabort = () => reject(signal.reason);
    const over = () => request.abort();
    signal.addEventListener('abort', over);
    request.onloadend = () => signal.removeEventListener('abort', over);
    request.send(file.slice(offset, offset + CHUNK));
  });
}

/** Whether the same may be answered otherwise in a while. */
const passes = (status: number): boolean => status === 0 || status >= 500 || [409, 423, 429].includes(status);

const called = ({ name, size, type, lastModified }: File): string =>
  `upload of ${JSON.stringify([name, type, size, lastModified])}`;
const remembered = (file: File): string | null => localStorage.getItem(called(file));
const forget = (file: File): void => localStorage.removeItem(called(file));
