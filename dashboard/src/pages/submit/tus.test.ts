import { openAsBlob } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { send as Send } from './tus';

/** A server that speaks tus, and what it was asked. Each of `faults` is the answer to one request instead. */
const uploads = new Map<string, { length: number; come: Buffer }>();
const asked: string[] = [];
let faults: Partial<Record<string, ((answer: ServerResponse, upload: string) => void)[]>> = {};
let server: Server;

const told = (answer: ServerResponse, status: number, body: object) =>
  answer.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
const refusing = (status: number, message: string) => (answer: ServerResponse) =>
  told(answer, status, { error: { code: 'NO', message, details: [] }, meta: { requestId: 'r' } });

async function answer(request: IncomingMessage, response: ServerResponse) {
  const offset = Number(request.headers['upload-offset'] ?? -1);
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const id = request.url!.split('/').at(-1)!;
  asked.push(`${request.method}${offset < 0 ? '' : ` ${offset}`}`);
  const fault = faults[request.method!]?.shift();
  const upload = uploads.get(id);
  if (fault) return fault(response, id);
  if (request.method === 'POST') {
    const made = `upl_${uploads.size}`;
    uploads.set(made, { length: Number(request.headers['upload-length']), come: Buffer.alloc(0) });
    return response.writeHead(201, { Location: `/api/v1/uploads/${made}` }).end();
  }
  if (!upload) return refusing(404, 'there is no such upload')(response);
  if (request.method === 'PATCH') {
    if (offset !== upload.come.length) return refusing(409, 'go on elsewhere')(response);
    upload.come = Buffer.concat([upload.come, ...parts]);
    return response.writeHead(204).end();
  }
  const { come, length } = upload;
  const asset = come.length === length ? `ast_${come.toString()}` : null;
  return told(response, 200, { success: true, data: { id, offset: come.length, asset } });
}

/** What a browser has and Node.js has not. */
class Request {
  status = 0;
  responseText = '';
  readonly upload: { onprogress?: (event: { loaded: number }) => void } = {};
  onload = () => {};
  onerror = () => {};
  onabort = () => {};
  onloadend = () => {};
  #asked = { method: '', path: '', headers: {} as Record<string, string> };
  #over = new AbortController();
  open = (method: string, path: string) => Object.assign(this.#asked, { method, path });
  setRequestHeader = (name: string, value: string) => (this.#asked.headers[name] = value);
  abort = () => this.#over.abort();
  send(body: Blob) {
    const { method, path, headers } = this.#asked;
    void fetch(location.origin + path, { method, headers, body, signal: this.#over.signal })
      .then(async (response) => {
        [this.status, this.responseText] = [response.status, await response.text()];
        this.upload.onprogress?.({ loaded: body.size });
        this.onload();
      })
      .catch(() => (this.#over.signal.aborted ? this.onabort() : this.onerror()))
      .finally(() => this.onloadend());
  }
}

const kept = new Map<string, string>();
const broke = vi.fn();
let send: (file: File, signal?: AbortSignal) => ReturnType<typeof Send>;

beforeAll(async () => {
  server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  vi.stubGlobal('location', { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  vi.stubGlobal('XMLHttpRequest', Request);
  vi.stubGlobal('addEventListener', () => {});
  vi.stubGlobal('localStorage', {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => kept.set(name, value),
    removeItem: (name: string) => kept.delete(name),
  });
  const tus = await import('./tus');
  send = (file, signal = new AbortController().signal) => tus.send(file, { sent() {}, broke }, signal);
});
beforeEach(() => {
  for (const each of [uploads, kept]) each.clear();
  asked.length = 0;
  faults = {};
  broke.mockClear();
});
afterAll(() => server.close());

const song = () => new File(['abcdefgh'], 'song.wav', { lastModified: 1 });

test('a file arrives, and nothing of it is remembered', async () => {
  expect(await send(song())).toBe('ast_abcdefgh');
  expect(asked).toEqual(['POST', 'GET', 'PATCH 0', 'GET']);
  expect(kept.size).toBe(0);
});

test('where the server has other bytes than was thought, it goes on there', async () => {
  const first = (answer: ServerResponse, id: string) => {
    uploads.get(id)!.come = Buffer.from('abc'); // of a request whose answer was lost
    refusing(409, 'go on elsewhere')(answer);
  };
  faults = { PATCH: [first] };
  expect(await send(song())).toBe('ast_abcdefgh');
  expect(asked).toEqual(['POST', 'GET', 'PATCH 0', 'GET', 'PATCH 3', 'GET']);
});

test('a server in trouble, or a line that is cut, is asked again after a while', async () => {
  faults = {
    POST: [refusing(503, 'later')],
    GET: [refusing(500, 'oh')],
    PATCH: [(answer) => answer.destroy()],
  };
  expect(await send(song())).toBe('ast_abcdefgh');
  expect(broke).toHaveBeenCalledTimes(3);
  expect(asked.filter((each) => each === 'POST').length).toBe(2);
});

test.each([413, 401, 422])('%i is told in the words of the server, at once', async (status) => {
  faults = { POST: [refusing(status, 'because of this')] };
  await expect(send(song())).rejects.toMatchObject({ status, message: 'because of this' });
  expect(asked).toEqual(['POST']);
  expect(broke).not.toHaveBeenCalled();
});

/** Half of the song arrives, and then somebody pauses it. */
async function pausedHalfWay() {
  const over = new AbortController();
  const half = (_: ServerResponse, id: string) => {
    uploads.get(id)!.come = Buffer.from('abcd'); // and no answer
    over.abort(new Error('paused'));
  };
  faults = { PATCH: [half] };
  await expect(send(song(), over.signal)).rejects.toThrow('paused');
}

test('what was paused goes on where it was', async () => {
  await pausedHalfWay();
  expect(await send(song())).toBe('ast_abcdefgh');
  expect(asked).toEqual(['POST', 'GET', 'PATCH 0', 'GET', 'PATCH 4', 'GET']);
});

test('an upload that the server has forgotten begins anew', async () => {
  await pausedHalfWay();
  uploads.delete('upl_0');
  expect(await send(song())).toBe('ast_abcdefgh');
  expect(asked.slice(3)).toEqual(['GET', 'POST', 'GET', 'PATCH 0', 'GET']);
});

test('another file of the same name is another upload', async () => {
  await pausedHalfWay();
  expect(await send(new File(['ABCDEFGH'], 'song.wav', { lastModified: 2 }))).toBe('ast_ABCDEFGH');
});

test('a file that is changed on the disk meanwhile has to be chosen again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tus-'));
  const path = join(folder, 'song.wav');
  await writeFile(path, 'abcdefgh');
  const chosen = new File([await openAsBlob(path)], 'song.wav');
  await writeFile(path, 'another song, and a longer one');
  await expect(send(chosen)).rejects.toThrow('changed since it was chosen');
  await rm(folder, { recursive: true });
});

test('an empty file is not sent', async () => {
  await expect(send(new File([], 'song.wav'))).rejects.toThrow('This file is empty.');
  expect(asked).toEqual([]);
});
