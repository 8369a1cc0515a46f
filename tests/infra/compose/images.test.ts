import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../../../infra/process/paths.ts';
import { createTempDir } from '../../support/temp-dir.ts';
import { baseImages } from '../../support/docker/local-images.ts';
import { images } from '../../../infra/kubernetes/names.ts';
import { compose, services } from './file.ts';

/** Returns whether a service depends on another, directly or indirectly. */
function waitsFor(name: string, other: string): boolean {
  const direct = Object.keys(compose.services[name]?.depends_on ?? {});
  return direct.some((each) => each === other || waitsFor(each, other));
}

it.each(Object.values(images))('builds %s once, whichever service is started', (image) => {
  const users = services.filter(([, service]) => service.image.startsWith(`${image}:`));
  const [builder, ...others] = users.filter(([, { build }]) => build !== undefined);
  expect(others).toEqual([]);
  expect(builder?.[1].build?.target).toBe(image.replace('fave-', ''));
  for (const [name] of users) expect([name, name === builder?.[0] || waitsFor(name, builder?.[0] ?? '')]).toEqual([name, true]);
});

it('pulls no images that it builds', () => {
  const ours = services.filter(([, { image }]) => image.startsWith('fave-'));
  expect(ours.map(([, { pull_policy }]) => pull_policy)).toEqual(ours.map(() => 'never'));
});

it('builds from images of one version each, which the Dockerfile and compose.yaml agree on', async () => {
  const bases = await baseImages();
  expect(Object.keys(bases)).toHaveLength(3);
  for (const [name, image] of Object.entries(bases)) {
    // A tag with a date or a patch release does not move; `npm run images:pin` adds a digest.
    expect(image).toMatch(/:(.*-)?(\d{8}|\d+\.\d+\.\d+)(-[a-z]+)*(@sha256:[0-9a-f]{64})?$/);
    const used = services.flatMap(([, { build }]) => build?.args?.[name] ?? []);
    expect(new Set(used)).toEqual(new Set([`\${FAVE_${name}:-${image}}`]));
  }
});

it('pins every image of others by its digest, and again after a new version', () => {
  const dir = createTempDir();
  const files = ['compose.yaml', 'infra/images/Dockerfile'];
  const read = (): string => files.map((name) => readFileSync(join(dir, name), 'utf8')).join('\n');
  for (const name of files) cpSync(join(root, name), join(dir, name), { recursive: true });
  // A client of a registry whose digests are hashes of names. `$5` is the image of `docker image inspect --format … IMAGE`.
  writeFileSync(
    join(dir, 'docker'),
    '#!/bin/sh\n[ "$1" = pull ] || echo "${5%%:*}@sha256:$(printf %s "$5" | sha256sum | cut -d" " -f1)"\n',
  );
  chmodSync(join(dir, 'docker'), 0o755);
  const pin = (): void => {
    const env = { ...process.env, PATH: `${dir}${delimiter}${process.env['PATH'] ?? ''}` };
    execFileSync(process.execPath, [join(root, 'infra/images/pin.ts'), dir], { env, stdio: 'pipe' });
  };
  const imagesIn = (text: string): string[] => text.match(/(?<=_IMAGE(=|:-))[a-z/-]+:[^\s}]+/g) ?? [];
  const tags = imagesIn(read()).map((image) => image.replace(/@.*/, ''));
  const pinned = (names: readonly string[]): string[] =>
    names.map((name) => `${name}@sha256:${createHash('sha256').update(name).digest('hex')}`);
  expect(new Set(tags).size).toBe(7);
  pin();
  expect(imagesIn(read())).toEqual(pinned(tags));

  for (const name of files) writeFileSync(join(dir, name), readFileSync(join(dir, name), 'utf8').replaceAll('1.24.6', '1.24.7'));
  pin();
  expect(imagesIn(read())).toEqual(pinned(tags.map((tag) => tag.replace('1.24.6', '1.24.7'))));
});
