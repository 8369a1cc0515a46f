import { expect, it } from 'vitest';
import { version } from '../../../infra/kubernetes/base.ts';
import { markedBlocks } from '../../support/documented-commands.ts';
import { own, podsOf } from './overlays.ts';

it(
  'the overlay of the documentation has every image from a registry, by a tag that an upgrade changes',
  { timeout: 900_000 },
  async () => {
    const text = markedBlocks('tested', 'yaml', 'kubernetes.md')['overlay'] ?? '';
    // As docs/operations.md has sed do it.
    const upgraded = text.replace(/newTag: .*/g, "newTag: '1e10'");
    expect(markedBlocks('cluster')['upgrade']).toContain('s/newTag: .*/newTag:');
    for (const [kustomization, tag] of [
      [text, version],
      [upgraded, '1e10'],
    ] as const) {
      const pods = podsOf(await own(kustomization));
      expect(pods.length).toBeGreaterThan(0);
      for (const { spec } of pods)
        for (const { image } of [...spec.containers, ...(spec.initContainers ?? [])])
          expect(image).toMatch(new RegExp(`^registry\\.example/fave-[a-z-]+:${tag.replaceAll('.', '\\.')}$`));
    }
  },
);
