import { crc32 } from 'node:zlib';

/** Returns a ZIP archive of uncompressed files, by path, without their dates (APPNOTE.TXT 6.3, section 4.3). */
export function zipFiles(files: Readonly<Record<string, string>>): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let position = 0;
  for (const [name, content] of Object.entries(files)) {
    const [path, data] = [Buffer.from(name), Buffer.from(content)];
    const header = Buffer.alloc(26);
    header.writeUInt16LE(10, 0); // version needed to extract
    header.writeUInt32LE(crc32(data), 10);
    header.writeUInt32LE(data.length, 14); // compressed
    header.writeUInt32LE(data.length, 18);
    header.writeUInt16LE(path.length, 22);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(position, 10); // position of the local header
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), header, path, data]);
    locals.push(local);
    centrals.push(Buffer.concat([Buffer.from('PK\x01\x02\x0a\x00'), header, rest, path]));
    position += local.length;
  }
  const central = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt16LE(centrals.length, 8); // entries on this disk
  end.writeUInt16LE(centrals.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(position, 16); // position of the central directory
  return Buffer.concat([...locals, central, end]);
}
