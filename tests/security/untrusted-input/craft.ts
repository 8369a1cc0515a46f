import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll } from 'vitest';
import { writeMedia } from '../../support/media.ts';

/** Boxes of ISO media files that hold boxes. */
const CONTAINERS = new Set(['moov', 'trak', 'mdia', 'minf', 'dinf', 'edts']);

/** Builds a box of an ISO media file (ISO/IEC 14496-12, 4.2). */
export function box(type: string, ...content: readonly Uint8Array[]): Buffer {
  const payload = Buffer.concat(content);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(payload.length + 8);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, payload]);
}

/** Replaces the content of boxes, at any depth; the sizes of those around them follow. */
export function withBoxes(file: Buffer, change: (type: string, content: Buffer) => Buffer): Buffer {
  const out: Buffer[] = [];
  for (let at = 0; at + 8 <= file.length;) {
    const size = file.readUInt32BE(at) || file.length - at;
    const type = file.toString('latin1', at + 4, at + 8);
    const content = file.subarray(at + 8, at + size);
    out.push(box(type, CONTAINERS.has(type) ? withBoxes(content, change) : change(type, content)));
    at += size;
  }
  return Buffer.concat(out);
}

/** Builds a data reference by URL: the samples are in another file. @param url Such as `file:///etc/passwd`. */
export function urlReference(url: string): Buffer {
  return dref(box('url ', Buffer.alloc(4), Buffer.from(`${url}\0`)));
}

/** Builds a data reference by Mac OS alias with an absolute path, as ffmpeg's `mov_read_dref` reads it. */
export function aliasReference(path: string): Buffer {
  const name = Buffer.from(path);
  const record = Buffer.alloc(4 + name.length + (name.length % 2));
  record.writeUInt16BE(2); // an absolute path
  record.writeUInt16BE(name.length, 2);
  name.copy(record, 4);
  const fixed = Buffer.alloc(10 + 28 + 12 + 64 + 16 + 4 + 16);
  return dref(box('alis', Buffer.alloc(4), fixed, record, Buffer.from([0xff, 0xff, 0, 0]), Buffer.alloc(32)));
}

function dref(entry: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]), entry]);
}

/** Builds a QuickTime reference movie, which contains only the URL of another movie. */
export function referenceMovie(url: string): Buffer {
  const address = Buffer.from(`${url}\0`);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(address.length);
  const rdrf = box('rdrf', Buffer.alloc(4), Buffer.from('url '), length, address);
  return Buffer.concat([box('ftyp', Buffer.from('qt  \0\0\0\0qt  ')), box('moov', box('rmra', box('rmda', rdrf)))]);
}

/** A session that is to be received from a port of this machine. */
export const sdp = (port: number): string =>
  `v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\na=control:rtsp://127.0.0.1:${port}/\nm=audio ${port} RTP/AVP 0\n`;

/** An HLS playlist of one address. */
export const hls = (address: string): string => `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n${address}\n#EXT-X-ENDLIST\n`;

/** A DASH manifest of one address. */
export const dash = (address: string): string =>
  `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT1S"><Period><AdaptationSet><Representation id="1" bandwidth="1"><BaseURL>${address}</BaseURL></Representation></AdaptationSet></Period></MPD>`;

/** Returns a copy with bytes replaced at every `marker`. @param offset Position of the replacement, relative to the marker. */
export function patchBytes(from: string, name: string, marker: string, offset: number, bytes: Uint8Array): string {
  const file = readFileSync(from);
  let found = 0;
  for (let at = file.indexOf(marker); at >= 0; at = file.indexOf(marker, at + 1), found++) file.set(bytes, at + offset);
  if (found === 0) throw new Error(`${from} contains no ${marker}`);
  return writeMedia(name, file);
}

/** Starts a server that must receive no request. @returns Its port and its number of requests, which are known when tests run. */
export function startListener(): { port: () => number; calls: () => number } {
  let calls = 0;
  const server = createServer((socket) => {
    calls += 1;
    socket.destroy();
  });
  beforeAll(() => new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve)));
  afterAll(() => void server.close());
  return { port: () => (server.address() as AddressInfo).port, calls: () => calls };
}
