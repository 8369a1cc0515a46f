import { expect, it } from 'vitest';
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
    // A tag with a date or a patch release does not move.
    expect(image).toMatch(/:(.*-)?(\d{8}|\d+\.\d+\.\d+)(-|$)/);
    const used = services.flatMap(([, { build }]) => build?.args?.[name] ?? []);
    expect(new Set(used)).toEqual(new Set([`\${FAVE_${name}:-${image}}`]));
  }
});
