import { setUpBucket } from './bucket.ts';
import type { SetUpOptions } from './options.ts';
import { setUpConsumers, setUpStreams } from './streams.ts';

/**
 * Makes everything that must exist before a service runs, and nothing that exists already as it should be.
 * Streams come first: MinIO publishes as soon as there are rules, and what no stream takes is lost.
 * @returns What it changed, in words; a second run returns nothing.
 */
export async function setUp(what: SetUpOptions): Promise<string[]> {
  return [...(await setUpStreams(what)), ...(await setUpConsumers(what)), ...(await setUpBucket(what))];
}
