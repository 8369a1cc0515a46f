import type { Random } from './random.ts';

/** Numbers that lengths, counts and rates break on. */
const EDGES = [0, 1, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

/** Bytes at the ends of a file in which containers keep their headers and indexes. */
const HEADER = 4_096;

type Mutation = (bytes: Buffer, chance: Random, other: Buffer) => Buffer;

/** Returns a position in the header, which controls most of a demuxer. */
function headerPlace(bytes: Buffer, chance: Random): number {
  const offset = chance.int(Math.max(1, Math.min(HEADER, bytes.length - 4)));
  return chance.int(2) === 0 ? offset : Math.max(0, bytes.length - 4 - offset);
}

function changed(bytes: Buffer, change: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes);
  if (copy.length >= 4) change(copy);
  return copy;
}

/** Ways to damage a file. */
export const mutations: Readonly<Record<string, Mutation>> = {
  'bit flips': (bytes, chance) =>
    changed(bytes, (copy) => {
      for (let n = 1 + chance.int(64); n > 0; n--) {
        const place = chance.int(copy.length);
        copy[place] = (copy[place] ?? 0) ^ (1 << chance.int(8));
      }
    }),
  'header bits': (bytes, chance) =>
    changed(bytes, (copy) => {
      for (let n = 1 + chance.int(16); n > 0; n--) {
        const place = headerPlace(copy, chance);
        copy[place] = (copy[place] ?? 0) ^ (1 << chance.int(8));
      }
    }),
  'header fields': (bytes, chance) =>
    changed(bytes, (copy) => {
      for (let n = 1 + chance.int(4); n > 0; n--) {
        const place = headerPlace(copy, chance);
        const value = chance.pick(EDGES);
        if (chance.int(2) === 0) copy.writeUInt32BE(value, place);
        else copy.writeUInt32LE(value, place);
      }
    }),
  truncation: (bytes, chance) => bytes.subarray(0, chance.int(bytes.length + 1)),
  'lost beginning': (bytes, chance) => bytes.subarray(chance.int(Math.max(1, bytes.length >> 2))),
  hole: (bytes, chance) => {
    const begin = chance.int(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, begin), bytes.subarray(begin + chance.int(bytes.length >> 1))]);
  },
  repetition: (bytes, chance) => {
    const begin = chance.int(bytes.length + 1);
    const part = bytes.subarray(begin, begin + chance.int(65_536));
    return Buffer.concat([bytes.subarray(0, begin), part, part, bytes.subarray(begin)]);
  },
  splice: (bytes, chance, other) =>
    Buffer.concat([bytes.subarray(0, chance.int(bytes.length + 1)), other.subarray(chance.int(other.length + 1))]),
  zeros: (bytes, chance) =>
    changed(bytes, (copy) => {
      const begin = chance.int(copy.length);
      copy.fill(0, begin, Math.min(copy.length, begin + 1 + chance.int(copy.length >> 2)));
    }),
};

/** Damages a file once or more. @param other Bytes to splice in. @returns The damaged bytes and a description. */
export function mutate(bytes: Buffer, other: Buffer, chance: Random): { bytes: Buffer; how: string } {
  const names = Array.from({ length: 1 + chance.int(3) }, () => chance.pick(Object.keys(mutations)));
  const damaged = names.reduce((before, name) => mutations[name]?.(before, chance, other) ?? before, bytes);
  return { bytes: damaged, how: names.join(', ') };
}
