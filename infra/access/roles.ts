import type { Graph } from '../../shared/pipeline/graph.ts';
import { busPermissions } from './permissions.ts';
import { storePolicies } from './policies.ts';
import { ROOT_USER } from './secrets.ts';

/** Returns the bus users and store access keys of a local instance, in the form that `ensureSecrets` expects. */
export function localRoles(graph: Graph, bucket: string): { bus: string[]; store: string[] } {
  return { bus: Object.keys(busPermissions(graph)), store: [ROOT_USER, ...Object.keys(storePolicies(graph, bucket))] };
}
