import { once } from 'node:events';
import { createServer, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { speech } from '../../support/media.ts';
import { extractSpeech, transcribe } from './clip.ts';

const path = extractSpeech('spoken.wav', speech('country.wav', 'Ask not what your country can do for you.'));

interface Received {
  readonly url: string;
  readonly authorization: string | undefined;
  readonly body: string;
}

/**
 * Starts a service that answers every request in the same way, after one rejection (429) per element of `before` with these headers.
 * @returns Its address and the requests that it received.
 */
async function startService(
  status: number,
  answer: object,
  before: readonly OutgoingHttpHeaders[] = [],
): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    void (async () => {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece as Buffer);
      const { url = '', headers } = request;
      received.push({ url, authorization: headers.authorization, body: Buffer.concat(pieces).toString('latin1') });
      const rejection = before[received.length - 1];
      if (rejection) response.writeHead(429, rejection).end();
      else response.writeHead(status).end(JSON.stringify(answer));
    })();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, received };
}

const use = (url: string, options = {}) =>
  transcribe(path, 5, {
    options: { speech: 'openai', speakers: 'none', ...options },
    settings: { 'openai-url': url, 'openai-key': 'secret', 'openai-model': 'large' },
  });

describe('openai', () => {
  const words = [
    { word: 'Ask', start: 0.2, end: 0.5 },
    { word: 'not.', start: 0.5, end: 0.9 },
  ];

  it('sends the detected speech and places the words in the clip', async () => {
    const { url, received } = await startService(200, { language: 'en', words });
    const { transcript, ran } = await use(url, { language: 'en-GB' });
    expect(transcript).toMatchObject({ engine: 'openai', model: 'large', language: 'en', text: 'Ask not.' });
    expect(transcript.utterances[0]!.start).toBeGreaterThan(5);
    expect(received).toMatchObject([{ url: '/v1/audio/transcriptions', authorization: 'Bearer secret' }]);
    for (const part of ['verbose_json', 'large', 'name="language"\r\n\r\nen\r\n', 'RIFF'])
      expect(received[0]!.body).toContain(part);
    expect(JSON.stringify(ran)).not.toContain('secret');
  });

  it('uses segments of a service without times of words, and rejects a reply without times', async () => {
    const { url } = await startService(200, { language: 'english', segments: [{ text: ' Ask not.', start: 0.2, end: 0.9 }] });
    expect((await use(url)).transcript).toMatchObject({ language: 'en', text: 'Ask not.' });
    const { url: plain } = await startService(200, { text: 'Ask not.' });
    await expect(use(plain)).rejects.toMatchObject({ code: 'speech-service-refused' });
  });

  it('waits as long as the service demands, if that is short', async () => {
    const { url, received } = await startService(200, { language: 'en', words }, [
      { 'retry-after': '0' },
      { 'retry-after': '0' },
    ]);
    expect((await use(url)).transcript.text).toBe('Ask not.');
    expect(received).toHaveLength(3);
    const { url: slow } = await startService(200, { language: 'en', words }, [{ 'retry-after': '3600' }]);
    await expect(use(slow)).rejects.toMatchObject({ code: 'speech-service-failed' });
  });

  it('translates with the other endpoint', async () => {
    const { url, received } = await startService(200, { language: 'de', words });
    await use(url, { task: 'translate' });
    expect(received[0]!.url).toBe('/v1/audio/translations');
  });

  it.each([
    [401, 'speech-service-refused', 'PermanentError'],
    [429, 'speech-service-failed', 'RetryableError'],
    [503, 'speech-service-failed', 'RetryableError'],
  ])('reports status %i as %s', async (status, code, name) => {
    const { url } = await startService(status, { error: 'no' });
    await expect(use(url)).rejects.toMatchObject({ code, name });
  });

  it('retries when the service does not answer, and rejects a missing address', async () => {
    await expect(use('http://127.0.0.1:9/v1')).rejects.toMatchObject({ code: 'speech-service-failed' });
    await expect(use('')).rejects.toMatchObject({ code: 'no-speech-engine' });
  });
});
