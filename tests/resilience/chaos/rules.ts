import { NotificationConfig, QueueConfig } from 'minio';
import { targets } from '../../../infra/servers/minio.ts';
import { EVENTS, notificationRules } from '../../../infra/setup/notification-rules.ts';
import type { Graph } from '../../../shared/pipeline/graph.ts';
import type { StoreAdmin } from '../../../shared/store/s3/admin.ts';

export type Path = keyof typeof targets;

/** Enables notifications on the given paths only. */
export async function setNotificationRules({ client, bucket }: StoreAdmin, graph: Graph, paths: readonly Path[]): Promise<void> {
  const config = new NotificationConfig();
  for (const path of paths) {
    for (const { prefix, suffix } of notificationRules(graph)) {
      const queue = new QueueConfig(`arn:minio:sqs::${targets[path]}:nats`);
      for (const event of EVENTS) queue.addEvent(event);
      queue.addFilterPrefix(prefix);
      if (suffix !== undefined) queue.addFilterSuffix(suffix);
      config.add(queue);
    }
  }
  await client.setBucketNotification(bucket, config);
}
