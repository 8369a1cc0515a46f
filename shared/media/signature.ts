/**
 * Number of bytes from which {@link readSignature} recognises a file: more than the headers of all containers, and enough packets of a
 * transport stream.
 */
export const SIGNATURE_BYTES = 4096;

/**
 * Type of a file by its first bytes. `media`: a video or audio format, also one that FAVE does not accept. `other`: text, a still
 * picture, a document, an archive or a program. `unknown`: neither, as in a recording without a header.
 */
export type Signature = 'media' | 'other' | 'unknown';

/** Recognises a file by its first bytes. It reads no more than {@link SIGNATURE_BYTES} and starts no program. */
export function readSignature(head: Uint8Array): Signature {
  const bytes = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, SIGNATURE_BYTES));
  const container = readContainer(bytes);
  if (container) return container;
  if (MEDIA.some((magic) => startsWith(bytes, magic)) || hasPackets(bytes)) return 'media';
  if (OTHER.some((magic) => startsWith(bytes, magic)) || isText(bytes)) return 'other';
  return isFrame(bytes) ? 'media' : 'unknown';
}

/** Beginnings of media files, as Latin-1 text. */
const MEDIA = [
  '\x1a\x45\xdf\xa3', // Matroska, WebM
  'FLV',
  '\x30\x26\xb2\x75\x8e\x66\xcf\x11', // ASF
  'OggS',
  'fLaC',
  'ID3',
  'caff',
  '#!AMR',
  '.snd',
  'wvpk',
  'TTA1',
  'MAC ',
  'MP+',
  'MPCK',
  'DSD ',
  '.RMF',
  'DKIF',
  'YUV4MPEG2 ',
  'riff\x2e\x91\xcf\x11', // Sony Wave64
  '\x06\x0e\x2b\x34', // MXF
  'nut/multimedia container',
  'GIF87a',
  'GIF89a',
  '\x00\x00\x01\xba', // MPEG programme stream
  '\x00\x00\x01\xb3', // MPEG video
  '\x00\x00\x00\x01', // H.264 and H.265 without a container
  '\x00\x00\x01\x67',
  '\x00\x00\x01\x09',
  '\x0b\x77', // AC-3
];

/** Beginnings of files that are neither video nor audio, as Latin-1 text. */
const OTHER = [
  '\xff\xd8\xff', // JPEG
  'BM',
  'II*\x00',
  'MM\x00*',
  '8BPS',
  '\x00\x00\x01\x00', // icon
  '\x00\x00\x00\x0cjP  ', // JPEG 2000
  '%PDF',
  'PK\x03\x04',
  'PK\x05\x06',
  'Rar!',
  '7z\xbc\xaf\x27\x1c',
  '\x1f\x8b', // gzip
  'BZh',
  '\xfd7zXZ',
  '\x28\xb5\x2f\xfd', // Zstandard
  '\x7fELF',
  'MZ',
  '\xd0\xcf\x11\xe0', // OLE: Thumbs.db, documents
  'SQLite format 3',
  '\x00\x05\x16\x00', // AppleSingle
  '\x00\x05\x16\x07', // AppleDouble: ._name
  '\x00\x00\x00\x01Bud1', // .DS_Store
  'bplist',
  '\x4c\x00\x00\x00\x01\x14\x02\x00', // Windows shortcut
  'MThd', // MIDI
  'PG', // PGS subtitles
];

/** Types of the first box of MP4 and QuickTime files. */
const BOXES = new Set(['ftyp', 'moov', 'moof', 'mdat', 'styp', 'sidx', 'emsg', 'free', 'skip', 'wide', 'pnot', 'uuid']);

/** Brands of still pictures in the same container: HEIF, AVIF, Canon raw. Those of sequences (`avis`, `msf1`, `hevc`) are videos. */
const STILL_BRANDS = new Set(['heic', 'heix', 'heim', 'heis', 'mif1', 'avif', 'crx ']);

/** Recognises formats whose first bytes do not suffice. */
function readContainer(bytes: Buffer): Signature | undefined {
  const text = (start: number, end: number): string => bytes.toString('latin1', start, end);
  const type = text(4, 8);
  if (text(0, 8) === '\x00\x00\x00\x01Bud1') return 'other';
  if (BOXES.has(type)) return type === 'ftyp' && STILL_BRANDS.has(text(8, 12)) ? 'other' : 'media';
  if (['RIFF', 'RIFX', 'RF64', 'BW64'].includes(text(0, 4))) {
    // The flag of an animation in the extended header of WebP.
    if (text(8, 12) === 'WEBP') return text(12, 16) === 'VP8X' && ((bytes[20] ?? 0) & 0x02) !== 0 ? 'media' : 'other';
    return ['AVI ', 'AVIX', 'WAVE', 'CDXA'].includes(text(8, 12)) ? 'media' : 'other';
  }
  if (text(0, 4) === 'FORM') return text(8, 11) === 'AIF' || text(8, 12) === '8SVX' ? 'media' : 'other';
  // An animated PNG announces its frames before the first picture.
  if (text(0, 4) === '\x89PNG') return bytes.includes('acTL') ? 'media' : 'other';
  return undefined;
}

function startsWith(bytes: Buffer, magic: string): boolean {
  return bytes.subarray(0, magic.length).equals(Buffer.from(magic, 'latin1'));
}

/** Sizes of the packets of an MPEG transport stream: plain, with time codes (Blu-ray), with error correction. */
const PACKET_SIZES = [188, 192, 204];

/** Returns whether the bytes are packets of a transport stream. A recording may begin in the middle of a packet. */
function hasPackets(bytes: Buffer): boolean {
  return PACKET_SIZES.some((size) => {
    const count = Math.floor(bytes.length / size) - 1;
    if (count < 3) return false;
    for (let first = 0; first < size; first += 1) {
      let n = 0;
      while (n < count && bytes[first + n * size] === 0x47) n += 1;
      if (n === count) return true;
    }
    return false;
  });
}

/** Returns whether the bytes begin with the synchronisation of an MPEG audio frame (MP3, AAC). */
function isFrame(bytes: Buffer): boolean {
  return bytes[0] === 0xff && ((bytes[1] ?? 0) & 0xe0) === 0xe0;
}

/** Returns whether the bytes are text: without control characters, which no media format avoids for long. */
function isText(bytes: Buffer): boolean {
  const isControl = (unit: number): boolean => unit === 0x7f || (unit < 0x20 && !(unit >= 0x09 && unit <= 0x0d) && unit !== 0x1b);
  const order = bytes.length >= 2 ? bytes.readUInt16BE(0) : 0;
  if (order !== 0xfeff && order !== 0xfffe) return bytes.length > 0 && !bytes.some(isControl);
  const units = Array.from({ length: Math.floor(bytes.length / 2) - 1 }, (_, n) =>
    order === 0xfeff ? bytes.readUInt16BE(2 + 2 * n) : bytes.readUInt16LE(2 + 2 * n),
  );
  return !units.some((unit) => isControl(unit) || unit >= 0xfffe);
}
