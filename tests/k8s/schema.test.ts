import { describe, expect, it } from 'vitest';
import { graph } from '../../services/pipeline.ts';
import { secretManifests } from '../../infra/kubernetes/secrets.ts';
import { overlay, overlayNames, type Manifest } from './overlays.ts';

type Model = new (data: Manifest) => { validate(): void };

/** The schema that Kubernetes or KEDA publishes for a kind. */
async function modelOf({ apiVersion, kind }: Manifest): Promise<Model> {
  const house = apiVersion.startsWith('keda.sh/') ? '@kubernetes-models/keda' : 'kubernetes-models';
  const module = (await import(`${house}/${apiVersion}/${kind}`)) as Record<string, Model>;
  return module[kind]!;
}

async function validate(manifest: Manifest): Promise<void> {
  const Model = await modelOf(manifest);
  new Model(manifest).validate();
}

describe('schemas of Kubernetes and KEDA', () => {
  it.each(overlayNames)('hold for every manifest of %s', { timeout: 900_000 }, async (name) => {
    const manifests = await overlay(name);
    expect(manifests.length).toBeGreaterThan(30);
    for (const manifest of manifests) await expect(validate(manifest), manifest.metadata.name).resolves.toBeUndefined();
  });

  it('hold for the Secrets that an installation makes', async () => {
    for (const secret of secretManifests(graph, { bus: {}, store: {} })) await validate(secret as Manifest);
  });

  it('refuse what does not fit', async () => {
    const scaled = (await overlay('cold')).find(({ kind }) => kind === 'ScaledObject')!;
    await expect(validate({ ...scaled, spec: { ...(scaled.spec as object), pollingInterval: 'often' } })).rejects.toThrow();
    const deployment = (await overlay('cold')).find(({ kind }) => kind === 'Deployment')!;
    await expect(validate({ ...deployment, spec: { replicas: 1 } })).rejects.toThrow();
  });
});
