import { setUpBucket } from './bucket.ts';
import type { SetUpOptions } from './options.ts';
import { setUpConsumers, setUpStreams } from './streams.ts';

/**
 * Creates or updates streams, consumers and the bucket. Streams come first: MinIO publishes as soon as the rules exist, and a
 * notification without a stream is lost.
 * @returns Descriptions of the changes; a second run returns none.
 */
export async function setUp(options: SetUpOptions): Promise<string[]> {
  return [...(await setUpStreams(options)), ...(await setUpConsumers(options)), ...(await setUpBucket(options))];
}
