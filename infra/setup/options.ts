import type { Bus } from '../../shared/bus/connection.ts';
import type { Config } from '../../shared/config/config.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import type { StoreAdmin } from '../../shared/store/s3/admin.ts';

export interface SetUpOptions {
  readonly storeAdmin: StoreAdmin;
  /** Connection of an administrator. */
  readonly bus: Bus;
  readonly graph: Graph;
  /** Time without a heartbeat after which an item is redelivered, in seconds. */
  readonly ackWaitSeconds: number;
  /** Replicas of each stream: 3 on a cluster of NATS servers. */
  readonly streamReplicas?: number;
  /** Retention of the objects of a request, in days; 0, the default, keeps them. */
  readonly retentionDays?: number;
  /** `sweep` skips the notification rules, which a store without notifications rejects. Default: `notifications`. */
  readonly eventSource?: Config['eventSource'];
}
