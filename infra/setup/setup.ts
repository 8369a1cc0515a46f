import type { Bus } from '../../shared/bus/connection.ts';
import type { Config } from '../../shared/config/config.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import type { Store } from '../../shared/store/store.ts';
import { setUpBucket } from './bucket.ts';
import { setUpConsumers, setUpStreams } from './streams.ts';

export interface SetUpOptions {
  /** With the rights of an administrator. */
  readonly store: Store;
  /** With the rights of an administrator. */
  readonly bus: Bus;
  readonly graph: Graph;
  /** Seconds without a heartbeat after which an item is given to another worker. */
  readonly ackWait: number;
  /** Copies of each stream: 3 on a cluster. */
  readonly replicas?: number;
  /** Days after which a request's objects are deleted; 0, the default, keeps them. */
  readonly retentionDays?: number;
  /** A store that FAVE lists announces nothing, and refuses rules that say where to. Default: `notifications`. */
  readonly events?: Config['events'];
}

/**
 * Makes everything that must exist before a service runs, and nothing that exists already as it should be.
 * Streams come first: MinIO publishes as soon as there are rules, and what no stream takes is lost.
 * @returns What it changed, in words; a second run returns nothing.
 */
export async function setUp(what: SetUpOptions): Promise<string[]> {
  return [...(await setUpStreams(what)), ...(await setUpConsumers(what)), ...(await setUpBucket(what))];
}
