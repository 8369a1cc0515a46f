import { chmodSync, chownSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { closeDataDir } from '../../../infra/process/data-dir.ts';
import { createTempDir } from '../../support/temp-dir.ts';

const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe('closeDataDir', () => {
  it('creates a directory that only its owner can open', async () => {
    const path = join(createTempDir(), 'a', 'data');
    await closeDataDir(path);
    expect(modeOf(path)).toBe(0o700);
  });

  it.each([0o755, 0o770, 0o701])('closes an existing directory of mode %o', async (mode) => {
    const path = createTempDir();
    chmodSync(path, mode);
    await closeDataDir(path);
    expect(modeOf(path)).toBe(0o700);
  });

  it('rejects a directory of another user and leaves it unchanged', async () => {
    let path = '/';
    if (process.getuid?.() === 0) {
      path = createTempDir();
      chmodSync(path, 0o755);
      chownSync(path, 65_534, 65_534);
    }
    const before = modeOf(path);
    await expect(closeDataDir(path)).rejects.toMatchObject({ code: 'foreign-data-directory' });
    expect(modeOf(path)).toBe(before);
  });
});
