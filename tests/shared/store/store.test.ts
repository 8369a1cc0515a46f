import { createHash, randomBytes } from 'node:crypto';
import { open, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { PermanentError, RetryableError, UnavailableError } from '../../../shared/core/errors.ts';
import { mapConcurrently } from '../../../shared/core/map-concurrently.ts';
import { createStore, digestFile, computeSha256, type Store, type StoreObserver } from '../../../shared/store/store.ts';
import { toStoreError } from '../../../shared/store/s3/store-errors.ts';
import { startProxy, type Proxy } from '../../fixtures/proxy.ts';
import { useSharedStack, uniqueId, type Stack } from '../../support/stack.ts';
import { createTempDir } from '../../support/temp-dir.ts';

let stack: Stack;
let store: Store;
const dir = createTempDir();
beforeAll(async () => {
  stack = await useSharedStack();
  store = stack.store;
});

const uniqueKey = (path = 'metadata/x'): string => `requests/${uniqueId()}/${path}`;
const patient = (): AbortSignal => new AbortController().signal;

async function behindProxy(observer?: StoreObserver): Promise<{ proxy: Proxy; far: Store }> {
  const url = new URL(stack.config.store.endpoint);
  const proxy = await startProxy(Number(url.port));
  const far = createStore({ ...stack.config.store, endpoint: `http://127.0.0.1:${proxy.port}` }, observer);
  onTestFinished(() => far.close());
  return { proxy, far };
}

async function file(size: number): Promise<{ path: string; sha256: string; size: number }> {
  const path = join(dir, uniqueId());
  await writeFile(path, randomBytes(size));
  return { path, ...(await digestFile(path)) };
}

it.each([
  ['GET', 900 + 3_600, 'behind'],
  ['HEAD', -7_200, 'ahead of'],
] as const)('names the clock that differs from that of the store, at once: %s', async (method, seconds, direction) => {
  const server = createServer((_, response) => {
    response.writeHead(403, { date: new Date(Date.now() + 1_000 * seconds).toUTCString() });
    response.end(method === 'HEAD' ? undefined : '<Error><Code>RequestTimeTooSkewed</Code></Error>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const skewed = createStore({ ...stack.config.store, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  onTestFinished(() => skewed.close());
  await expect(method === 'HEAD' ? skewed.head('x') : skewed.getText('x')).rejects.toMatchObject({
    code: 'clock-skewed',
    message: expect.stringMatching(
      new RegExp(`the clock of this machine is \\d+ minutes ${direction} that of the store`),
    ) as string,
  });
});

describe('an object', () => {
  it('is returned with its headers and etag', async () => {
    const key = uniqueKey();
    const { etag } = await store.put(key, 'čaj', { headers: { 'x-amz-meta-fave-run': '1', 'content-type': 'text/plain' } });
    expect(etag).toBe(createHash('md5').update('čaj').digest('hex'));
    expect(await store.getText(key)).toEqual({ text: 'čaj', etag });
    expect((await store.getStart(key, 2, { etag }))?.bytes.toString('latin1')).toBe('\xc4\x8d');
    expect((await store.getStart(key, 100))?.bytes.toString()).toBe('čaj');
    await expect(store.getStart(key, 2, { etag: 'other' })).rejects.toMatchObject({ code: 'object-changed' });
    expect(await store.head(key)).toMatchObject({
      key,
      etag,
      size: 4,
      headers: { 'x-amz-meta-fave-run': '1', 'content-type': 'text/plain' },
    });
  });

  it.each(['a b.txt', 'a+b&c=d.txt', '100%.txt', 'čaj ☕.txt', "it's (1) [x] *.txt", '=?x', '~!@#$,;:', 'a\\b'])(
    'may be called %j',
    async (name) => {
      const key = uniqueKey(`input/${name}`);
      await store.put(key, name);
      expect((await store.getText(key))?.text).toBe(name);
      await store.download(key, join(dir, 'odd'));
      const listed: string[] = [];
      for await (const found of store.list(key.slice(0, key.indexOf('/input/')))) listed.push(found.key);
      expect(listed).toEqual([key]);
    },
  );

  it('is undefined if it does not exist', async () => {
    const key = uniqueKey();
    expect(await store.head(key)).toBeUndefined();
    expect(await store.getText(key)).toBeUndefined();
    expect(await store.getStart(key, 10)).toBeUndefined();
    await expect(store.download(key, join(dir, 'nothing'))).rejects.toMatchObject({
      code: 'missing-object',
      message: expect.stringContaining(key) as string,
    });
    await expect(store.remove(key)).resolves.toBeUndefined();
  });

  it('is undefined after its removal', async () => {
    const key = uniqueKey();
    await store.put(key, 'x');
    await store.remove(key);
    expect(await store.head(key)).toBeUndefined();
  });

  it('can be empty', async () => {
    const key = uniqueKey();
    await store.put(key, '');
    expect(await store.head(key)).toMatchObject({ size: 0 });
    await store.download(key, join(dir, 'empty'));
    expect(await readFile(join(dir, 'empty'))).toHaveLength(0);
  });
});

describe('putIfAbsent', () => {
  it('succeeds for one of many concurrent calls and keeps its content', async () => {
    const key = uniqueKey();
    const created = await Promise.all(Array.from({ length: 8 }, (_, n) => store.putIfAbsent(key, `text ${n}`)));
    expect(created.filter((result) => result !== undefined)).toHaveLength(1);
    expect((await store.getText(key))?.text).toBe(`text ${created.findIndex((result) => result !== undefined)}`);
  });
});

describe('an announced version', () => {
  it('fails after the object has changed', async () => {
    const key = uniqueKey();
    const { etag } = await store.put(key, 'one');
    await store.download(key, join(dir, 'one'), { etag });
    await store.put(key, 'two');
    const refusal = { code: 'object-changed', message: `${key} has changed since it was announced` };
    await expect(store.download(key, join(dir, 'one'), { etag })).rejects.toMatchObject(refusal);
    await expect(store.getText(key, { etag })).rejects.toBeInstanceOf(RetryableError);
  });

  it('is readable after a newer upload of an input', async () => {
    const key = uniqueKey('input/a.mp4');
    const { etag } = await store.put(key, 'one');
    const versionId = (await store.head(key))?.versionId;
    expect(versionId).toBeDefined();
    await store.put(key, 'two');
    expect(await store.getText(key, { etag, versionId: versionId! })).toEqual({ text: 'one', etag });
  });
});

describe('copy', () => {
  it('copies the bytes and sets new headers', async () => {
    const [from, to] = [uniqueKey("input/it's 100 % + é.txt"), uniqueKey()];
    const { etag } = await store.put(from, 'text', { headers: { 'x-amz-meta-fave-run': '1' } });
    expect(await store.copy({ key: from, etag }, to, { headers: { 'x-amz-meta-fave-run': '2' } })).toEqual({ etag });
    expect(await store.head(to)).toMatchObject({ etag, headers: { 'x-amz-meta-fave-run': '2' } });
  });

  it('fails if the source has changed or was removed', async () => {
    const key = uniqueKey();
    const { etag } = await store.put(key, 'one');
    await store.put(key, 'two');
    await expect(store.copy({ key, etag }, uniqueKey())).rejects.toMatchObject({ code: 'object-changed' });
    await expect(store.copy({ key: uniqueKey(), etag }, uniqueKey())).rejects.toMatchObject({ code: 'missing-object' });
  });
});

describe('a file', () => {
  it('is downloaded as it was uploaded', async () => {
    const sent = await file(3_000_000);
    const key = uniqueKey();
    await store.upload(key, sent, { headers: { 'x-amz-meta-fave-sha256': sent.sha256 } });
    const path = join(dir, 'back');
    await store.download(key, path);
    expect(await digestFile(path)).toEqual({ sha256: sent.sha256, size: sent.size });
  });

  it('is not stored if its digest is wrong', async () => {
    const key = uniqueKey();
    const sent = await file(10);
    await expect(
      store.upload(key, { ...sent, sha256: computeSha256('other') }, { signal: AbortSignal.timeout(1_000) }),
    ).rejects.toThrow();
    expect(await store.head(key)).toBeUndefined();
  });

  it('is transferred in constant memory (200 MB)', async () => {
    const path = join(dir, 'large');
    const handle = await open(path, 'w');
    await handle.truncate(200 * 1024 * 1024);
    await handle.close();
    const key = uniqueKey();
    const { external, heapUsed, arrayBuffers } = process.memoryUsage();
    let most = 0;
    const watch = setInterval(() => {
      const now = process.memoryUsage();
      most = Math.max(most, now.external + now.heapUsed + now.arrayBuffers - external - heapUsed - arrayBuffers);
    }, 20);
    const digest = await digestFile(path);
    await store.upload(key, { path, ...digest });
    await store.download(key, path);
    clearInterval(watch);
    expect((await digestFile(path)).sha256).toBe(digest.sha256);
    expect(most).toBeLessThan(100 * 1024 * 1024);
    await store.remove(key);
    await rm(path);
  });
});

describe('an unavailable store', () => {
  it('is retried until it answers', async () => {
    const { proxy, far } = await behindProxy();
    const key = uniqueKey();
    await far.put(key, 'before');
    proxy.cut();
    const put = far.put(key, 'after', { signal: patient() });
    const head = far.head(key, { signal: patient() });
    proxy.restore();
    await put;
    expect(await head).toMatchObject({ key });
    expect((await store.getText(key))?.text).toBe('after');
  });

  it('is retried until the signal aborts, then reported as unavailable', async () => {
    const { proxy, far } = await behindProxy();
    proxy.cut();
    const error = await far.getText(uniqueKey(), { signal: AbortSignal.timeout(2_000) }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).toMatchObject({
      code: 'store-unavailable',
      message: expect.stringMatching(/^the store does not answer/) as string,
    });
  });

  const calls: Record<string, (far: Store, key: string, options: { signal: AbortSignal }) => Promise<unknown>> = {
    head: (far, key, options) => far.head(key, options),
    text: (far, key, options) => far.getText(key, options),
    download: (far, key, options) => far.download(key, join(dir, 'hung'), options),
    put: (far, key, options) => far.put(key, 'text', options),
    upload: async (far, key, options) => far.upload(key, await file(1_000_000), options),
    copy: (far, key, options) => far.copy({ key, etag: 'etag' }, uniqueKey(), options),
  };
  // A request fails after 20 s without data.
  it.each(Object.keys(calls))('does not delay an aborted call when it hangs: %s', { timeout: 10_000 }, async (call) => {
    const results: string[] = [];
    const { proxy, far } = await behindProxy({
      onResponse: (_, result) => void results.push(result),
      onTransfer: () => undefined,
    });
    proxy.hang();
    const end = new AbortController();
    const ended = expect(calls[call]!(far, uniqueKey(), { signal: end.signal })).rejects.toThrow('enough');
    await vi.waitUntil(() => proxy.connections() === 1);
    end.abort(new Error('enough'));
    await ended;
    expect(results).toEqual(['aborted']);
  });

  it('is reported when it hangs until the signal aborts', { timeout: 10_000 }, async () => {
    const { proxy, far } = await behindProxy();
    proxy.hang();
    const hung = far.getText(uniqueKey(), { signal: AbortSignal.timeout(1_500) });
    await expect(hung).rejects.toBeInstanceOf(UnavailableError);
  });

  it('is not reported while it receives a file', { timeout: 10_000 }, async () => {
    const { proxy, far } = await behindProxy();
    proxy.hang();
    const sent = await file(1_000_000);
    await expect(far.upload(uniqueKey(), sent, { signal: AbortSignal.timeout(1_500) })).rejects.toThrow(/aborted due to timeout/);
  });

  it('is reported when it hangs after a refused connection', { timeout: 10_000 }, async () => {
    const results: string[] = [];
    const { proxy, far } = await behindProxy({
      onResponse: (_, result) => void results.push(result),
      onTransfer: () => undefined,
    });
    proxy.cut();
    const end = new AbortController();
    const ended = expect(far.getText(uniqueKey(), { signal: end.signal })).rejects.toBeInstanceOf(UnavailableError);
    await vi.waitUntil(() => results.includes('unavailable'));
    proxy.restore();
    proxy.hang();
    await vi.waitUntil(() => proxy.connections() === 1);
    end.abort(new Error('enough'));
    await ended;
    expect(results.at(-1)).toBe('aborted');
  });

  it('delivers the whole file after an interrupted download', async () => {
    const { proxy, far } = await behindProxy();
    const sent = await file(2_000_000);
    const key = uniqueKey();
    await store.upload(key, sent);
    proxy.breakAfter(500_000);
    const path = join(dir, 'broken');
    await far.download(key, path, { signal: patient() });
    expect(await digestFile(path)).toEqual({ sha256: sent.sha256, size: sent.size });
    expect(proxy.connections()).toBeGreaterThan(1);
  });

  it('delivers the whole text after an interrupted response', async () => {
    const { proxy, far } = await behindProxy();
    const text = 'x'.repeat(1_000_000);
    const key = uniqueKey();
    await store.put(key, text);
    proxy.breakAfter(300_000);
    expect((await far.getText(key, { signal: patient() }))?.text).toBe(text);
  });

  it('stores the file once after a lost response to an upload', async () => {
    const { proxy, far } = await behindProxy();
    const sent = await file(1_000_000);
    const key = uniqueKey();
    proxy.breakAfter(20);
    const { etag } = await far.upload(key, sent, { signal: patient() });
    expect(await store.head(key)).toMatchObject({ etag, size: sent.size });
  });

  it('is not reported when it is slow', async () => {
    const { proxy, far } = await behindProxy();
    proxy.latency = 30;
    const sent = await file(500_000);
    const key = uniqueKey();
    await far.upload(key, sent);
    expect(await far.head(key)).toMatchObject({ size: sent.size });
  });

  it('is not assumed when the store rejects a request', async () => {
    const tooLarge = store.put(uniqueKey(), 'x', { headers: { 'x-amz-meta-fave-options': 'x'.repeat(3_000) } });
    await expect(tooLarge).rejects.toMatchObject({ code: 'store-refused' });
    await expect(tooLarge).rejects.toBeInstanceOf(PermanentError);
  });

  it('is not assumed for unknown credentials, which are retryable', async () => {
    const stranger = createStore({ ...stack.config.store, secretKey: 'wrong-wrong' });
    onTestFinished(() => stranger.close());
    const error = await stranger.put(uniqueKey(), 'x').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RetryableError);
    expect(error).toMatchObject({
      code: 'access-denied',
      message: expect.stringContaining('check ARTIFACT_ACCESS_KEY') as string,
    });
    expect(String(error)).not.toContain('wrong-wrong');
  });
});

describe('a local disk error', () => {
  it.each([
    ['ENAMETOOLONG', 'x'.repeat(256)],
    ['ENOENT', 'none/x'],
  ])('is returned without a retry: %s', async (code, name) => {
    const key = uniqueKey();
    await store.put(key, 'x');
    await expect(store.download(key, join(dir, name), { signal: patient() })).rejects.toMatchObject({ code });
  });

  it.each(['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO', 'EROFS'])('is recognised by %s of a write without a path', (code) => {
    const error = Object.assign(new Error(`${code}: write`), { code, syscall: 'write' });
    expect(toStoreError(error, 'key')).toBe(error);
  });

  it('is not assumed for a failed connection', () => {
    const error = Object.assign(new Error('write EPIPE'), { code: 'EPIPE', syscall: 'write' });
    expect(toStoreError(error, 'key')).toBeInstanceOf(UnavailableError);
  });
});

describe('list', () => {
  it('returns every object below a prefix, over several pages', async () => {
    const prefix = `requests/${uniqueId()}/`;
    const keys = Array.from({ length: 1_001 }, (_, n) => `${prefix}metadata/items/s & t/clip_${String(n).padStart(4, '0')}.json`);
    await mapConcurrently(keys, (key) => store.put(key, key));
    const listed: string[] = [];
    for await (const { key, size, etag, modified } of store.list(prefix)) {
      expect([size, etag]).toEqual([key.length, createHash('md5').update(key).digest('hex')]);
      expect(Math.abs(Date.now() - modified.getTime())).toBeLessThan(120_000);
      listed.push(key);
    }
    expect(listed).toEqual(keys);
  });

  it('returns the folders directly below a prefix', async () => {
    const prefix = `requests/${uniqueId()}/`;
    for (const path of ['a b+c/x', 'a b+c/y', 'd/e/z', 'file']) await store.put(prefix + path, path);
    const folders: string[] = [];
    for await (const folder of store.listPrefixes(prefix)) folders.push(folder);
    expect(folders).toEqual(['a b+c', 'd']);
  });

  it('waits while the store is unavailable', async () => {
    const { proxy, far } = await behindProxy();
    proxy.cut();
    const listed = (async () => {
      for await (const _ of far.list(`requests/${uniqueId()}/`, { signal: patient() })) expect.fail('nothing was stored');
      return 'done';
    })();
    proxy.restore();
    expect(await listed).toBe('done');
  });
});
