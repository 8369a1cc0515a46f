interface WavOptions {
  readonly channels?: number;
  /** Sample rate, in Hz. */
  readonly rate?: number;
  readonly bits?: number;
}

/** Builds a chunk of a RIFF file. @param size Declared size, which may be wrong. */
export function chunk(id: string, content: Uint8Array, size = content.length): Buffer {
  const header = Buffer.alloc(8);
  header.write(id, 'latin1');
  header.writeUInt32LE(size, 4);
  return Buffer.concat([header, content, Buffer.alloc(content.length % 2)]);
}

/** Builds the format chunk of PCM audio. */
export function format({ channels = 1, rate = 22_050, bits = 16 }: WavOptions = {}): Buffer {
  const content = Buffer.alloc(16);
  content.writeUInt16LE(1, 0);
  content.writeUInt16LE(channels, 2);
  content.writeUInt32LE(rate, 4);
  content.writeUInt32LE((rate * channels * bits) / 8, 8);
  content.writeUInt16LE((channels * bits) / 8, 12);
  content.writeUInt16LE(bits, 14);
  return chunk('fmt ', content);
}

/** Builds a WAV file of chunks. */
export function wav(...chunks: Buffer[]): Buffer {
  return chunk('RIFF', Buffer.concat([Buffer.from('WAVE'), ...chunks]));
}

/** Returns samples as bytes (s16le). */
export function bytesOf(samples: Int16Array): Buffer {
  return Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
}

/** Builds a WAV file of samples. */
export function wavFile(samples: Int16Array, options?: WavOptions): Buffer {
  return wav(format(options), chunk('data', bytesOf(samples)));
}
