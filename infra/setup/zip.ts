import { crc32 } from 'node:zlib';

/** Returns a ZIP archive that holds one uncompressed file, without its date (APPNOTE.TXT 6.3, section 4.3). */
export function zipFile(name: string, content: string): Buffer {
  const [path, data] = [Buffer.from(name), Buffer.from(content)];
  const header = Buffer.alloc(26);
  header.writeUInt16LE(10, 0); // version needed to extract
  header.writeUInt32LE(crc32(data), 10);
  header.writeUInt32LE(data.length, 14); // compressed
  header.writeUInt32LE(data.length, 18);
  header.writeUInt16LE(path.length, 22);
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), header, path, data]);
  const central = Buffer.concat([Buffer.from('PK\x01\x02\x0a\x00'), header, Buffer.alloc(14), path]);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt16LE(1, 8); // entries on this disk
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length, 16); // position of the central directory
  return Buffer.concat([local, central, end]);
}
