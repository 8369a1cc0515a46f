import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { images } from '../../infra/kubernetes/names.ts';
import { root } from '../../infra/paths.ts';

interface Service {
  readonly image: string;
  readonly build?: { readonly target: string };
  readonly pull_policy?: string;
  readonly depends_on?: Record<string, object>;
}

const text = await readFile(join(root, 'compose.yaml'), 'utf8');
const { services } = parse(text, { merge: true }) as { services: Record<string, Service> };
// It comes before all others, and is not among those that `up` starts.
const { secrets, ...started } = services;

it.each(Object.values(images))('builds %s once, whichever service is started', (image) => {
  const users = Object.entries(started).filter(([, service]) => service.image.startsWith(`${image}:`));
  const [builder, ...others] = users.filter(([, { build }]) => build !== undefined);
  expect(others).toEqual([]);
  expect(builder?.[1].build?.target).toBe(image.replace('fave-', ''));
  for (const [name, { depends_on = {} }] of users)
    if (name !== builder?.[0]) expect(depends_on).toHaveProperty([builder?.[0] ?? '']);
});

it('pulls nothing that it builds', () => {
  const ours = Object.values(services).filter(({ image }) => image.startsWith('fave-'));
  expect(ours.map(({ pull_policy }) => pull_policy)).toEqual(ours.map(() => 'never'));
  expect(secrets?.build).toBeDefined();
});
