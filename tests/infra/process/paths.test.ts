import { expect, it } from 'vitest';
import { chooseDataDir, defaultDataDir } from '../../../infra/process/paths.ts';

it('prefers the given data directory, then FAVE_DATA_DIR, then the default', () => {
  expect(chooseDataDir('/given', { FAVE_DATA_DIR: '/set' })).toBe('/given');
  expect(chooseDataDir(undefined, { FAVE_DATA_DIR: '/set' })).toBe('/set');
  for (const env of [{}, { FAVE_DATA_DIR: '' }]) expect(chooseDataDir(undefined, env)).toBe(defaultDataDir);
});
