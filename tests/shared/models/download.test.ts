import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Model } from '../../../shared/models/catalogue.ts';
import { downloadModel, type DownloadOptions } from '../../../shared/models/download.ts';
import { mediaFolder } from '../../support/media.ts';

const content = Buffer.from(Array.from({ length: 300_000 }, (_, n) => (n * 7) % 251));
const digest = (algorithm: string): string => createHash(algorithm).update(content).digest('hex');
const model: Model = {
  kind: 'whisper',
  name: 'tiny',
  file: 'ggml-tiny.bin',
  bytes: content.length,
  sha1: 'of another file',
  sha256: digest('sha256'),
};
const CUT = 100_000;

let requests: IncomingHttpHeaders[] = [];
let answer: (headers: IncomingHttpHeaders, response: ServerResponse) => void;
const server = createServer(({ headers }, response) => {
  requests.push(headers);
  answer(headers, response);
});

let origin = '';
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

let path = '';
beforeEach(() => {
  requests = [];
  path = join(mkdtempSync(join(mediaFolder(), 'models-')), 'new', model.file);
});

function download(options: DownloadOptions = {}, url = `${origin}/${model.file}`): Promise<void> {
  return downloadModel(model, url, path, options);
}

function files(): string[] {
  return readdirSync(join(path, '..')).sort();
}

/** Closes the connection of a limited response after the client has received all of it. */
let closeAfter: (received: number) => void = () => undefined;

/** Responds with the requested range of the content. @param limit Number of bytes after which `closeAfter` closes the connection. */
function serve(etag: string, limit = Infinity): typeof answer {
  return ({ range, 'if-range': condition }, response) => {
    const from = range !== undefined && (condition ?? etag) === etag ? Number(/\d+/.exec(range)?.[0]) : 0;
    response.writeHead(from > 0 ? 206 : 200, {
      etag,
      'content-length': content.length - from,
      ...(from > 0 && { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` }),
    });
    const rest = content.subarray(from);
    if (rest.length <= limit) response.end(rest);
    else response.write(rest.subarray(0, limit));
    closeAfter = (received) => {
      if (received === from + limit) response.destroy();
    };
  };
}

describe('downloadModel', () => {
  it('names the file when it is complete, and checks the strongest digest', async () => {
    answer = serve('"a"');
    const progress: number[] = [];
    await download({ onProgress: (received) => progress.push(received) });
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(files()).toEqual([model.file]);
    expect(progress.at(-1)).toBe(content.length);
    expect(requests).toHaveLength(1);
  });

  it('checks the SHA-1 of a model without a SHA-256', async () => {
    answer = serve('"a"');
    const { sha256: _, ...rest } = model;
    await downloadModel({ ...rest, sha1: digest('sha1') }, origin, path);
    await expect(downloadModel(rest, origin, path)).rejects.toMatchObject({ code: 'wrong-checksum' });
  });

  it('continues after the connection was closed', async () => {
    answer = serve('"a"', CUT);
    await download({
      onProgress: (received) => {
        closeAfter(received);
      },
    });
    expect(requests.map(({ range, 'if-range': condition }) => [range?.replace(/\d+/, 'N'), condition])).toEqual([
      [undefined, undefined],
      ['bytes=N-', '"a"'],
      ['bytes=N-', '"a"'],
    ]);
    expect(readFileSync(path).equals(content)).toBe(true);
  });

  it('keeps the part of a stopped download, and a later call continues it', async () => {
    answer = serve('"a"', CUT);
    const stop = new AbortController();
    const reason = new Error('stopped');
    const stopped = download({
      signal: stop.signal,
      onProgress: () => {
        stop.abort(reason);
      },
    });
    await expect(stopped).rejects.toBe(reason);
    const received = statSync(`${path}.part`).size;
    expect(received).toBeGreaterThan(0);
    answer = serve('"a"');
    requests = [];
    await download();
    expect(requests.map(({ range }) => range)).toEqual([`bytes=${received}-`]);
    expect(files()).toEqual([model.file]);
  });

  it('starts again if the file has changed on the server', async () => {
    answer = ({ range }, response) => {
      serve(range === undefined ? '"old"' : '"new"', range === undefined ? CUT : Infinity)(requests.at(-1) ?? {}, response);
    };
    await download({
      onProgress: (received) => {
        closeAfter(received);
      },
    });
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(requests).toHaveLength(2);
  });

  it('completes a part that already has all bytes', async () => {
    answer = serve('"a"');
    await download();
    writeFileSync(`${path}.part`, content);
    answer = (_, response) => response.writeHead(416).end();
    await download();
    expect(files()).toEqual([model.file]);
  });

  it('discards a file with a wrong digest', async () => {
    answer = (_, response) => response.end('<html>sign in first</html>');
    await expect(download()).rejects.toMatchObject({
      code: 'wrong-checksum',
      message: expect.stringContaining('the file was discarded') as string,
    });
    expect(files()).toEqual([]);
  });

  it('reports the status of the server and does not retry', async () => {
    answer = (_, response) => response.writeHead(404).end('no such model');
    await expect(download()).rejects.toMatchObject({
      code: 'download-failed',
      message: expect.stringContaining('status 404') as string,
    });
    expect(requests).toHaveLength(1);
  });

  it('reports an unreachable server', async () => {
    await expect(download({}, 'http://127.0.0.1:1/')).rejects.toMatchObject({
      code: 'download-failed',
      message: expect.stringMatching(/ECONNREFUSED|bad port/) as string,
    });
  });

  it('fails if the server sends no data', async () => {
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': content.length }).flushHeaders();
    };
    await expect(download({ idleTimeoutMs: 100 })).rejects.toMatchObject({
      code: 'download-failed',
      message: expect.stringContaining('no data for 0.1 s') as string,
    });
  });

  it('copies a file of a local mirror', async () => {
    const mirror = join(mkdtempSync(join(mediaFolder(), 'mirror-')), model.file);
    await expect(download({}, pathToFileURL(mirror).href)).rejects.toMatchObject({ code: 'download-failed' });
    writeFileSync(mirror, content);
    await download({}, pathToFileURL(mirror).href);
    expect(readFileSync(path).equals(content)).toBe(true);
  });
});
