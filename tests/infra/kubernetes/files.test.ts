import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { differences, manifestFiles, writeFiles } from '../../../infra/kubernetes/files.ts';
import { graph } from '../../../services/pipeline.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'fave-manifests-'));
});
afterAll(() => rm(dir, { recursive: true }));

it('what was made once and is wanted no more goes, what somebody else put beside it stays', async () => {
  const wanted = manifestFiles(graph);
  const [old, kept] = ['base/relay.yaml', 'base/tracker.yaml'] as const;
  await writeFiles(dir, wanted);
  expect(await differences(dir, wanted)).toEqual([]);
  const theirs = join('overlays', 'cold', 'theirs.yaml');
  await writeFile(join(dir, theirs), 'kind: Kustomization\n');
  await writeFile(join(dir, kept), 'changed by hand\n');
  const { [old]: _, ...fewer } = wanted;
  expect(await differences(dir, fewer)).toEqual([old, kept]);
  await writeFiles(dir, fewer);
  expect(await differences(dir, fewer)).toEqual([]);
  expect(await readdir(join(dir, 'base'))).not.toContain('relay.yaml');
  expect(await readFile(join(dir, theirs), 'utf8')).toBe('kind: Kustomization\n');
});
