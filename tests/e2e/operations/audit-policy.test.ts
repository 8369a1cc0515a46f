import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { networkPolicies } from '../../../infra/kubernetes/network.ts';
import { faults } from '../../infra/kubernetes/schemas.ts';
import { markedBlocks } from '../../support/documented-commands.ts';

interface Policy {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: { readonly namespace: string };
  readonly spec: { readonly podSelector: object; readonly policyTypes: string[] };
}

it('the policy that lets the audit log out is one, and for the pods of the store', () => {
  const policy = parse(markedBlocks('tested', 'yaml')['audit-policy'] ?? '') as Policy;
  expect(faults(policy as never)).toEqual([]);
  const store = networkPolicies().find(({ metadata }) => metadata?.name === 'store');
  expect(policy.metadata.namespace).toBe(store?.metadata?.namespace);
  expect(policy.spec.policyTypes).toEqual(['Egress']);
  expect(JSON.stringify(policy.spec.podSelector)).toContain('"app.kubernetes.io/component":"store"');
});
