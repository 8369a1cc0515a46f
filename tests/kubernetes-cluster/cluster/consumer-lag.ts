import { BUS_ACCOUNT } from '../../../infra/access/accounts.ts';
import { streams } from '../../../shared/bus/topology.ts';
import { ports } from '../../../infra/kubernetes/names.ts';

interface Monitor {
  readonly account_details?: readonly {
    readonly stream_detail: readonly {
      readonly name: string;
      readonly consumer_detail?: readonly {
        readonly name: string;
        readonly num_pending: number;
        readonly num_ack_pending: number;
        readonly cluster?: { readonly leader?: string };
      }[];
    }[];
  }[];
}

/** A killed server does not respond at all. */
const RESPONSE_TIMEOUT_MS = 1_000;

/**
 * Returns a function that reads the lag of each consumer of landed messages from its leader, like KEDA: other servers have older values.
 * A consumer without a leader keeps its last value. @param servers Returns the addresses of the servers by name.
 */
export function createLagReader(servers: () => Promise<ReadonlyMap<string, string>>): () => Promise<Map<string, number>> {
  const lagsByConsumer = new Map<string, number>();
  return async () => {
    const answers = [...(await servers())].map(async ([server, address]) => {
      for (const { name, num_pending, num_ack_pending, cluster } of await consumersOf(address))
        if ((cluster?.leader ?? server) === server) lagsByConsumer.set(name, num_pending + num_ack_pending);
    });
    await Promise.all(answers);
    return new Map(lagsByConsumer);
  };
}

async function consumersOf(address: string) {
  const url = `http://${address}:${ports.monitor}/jsz?acc=${BUS_ACCOUNT}&consumers=true`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(RESPONSE_TIMEOUT_MS) }).then(
    (response) => response.json() as Promise<Monitor>,
    (): Monitor => ({}), // the server is starting or was killed
  );
  const landed = (answer.account_details ?? [])
    .flatMap((account) => account.stream_detail)
    .find(({ name }) => name === streams.landed);
  return landed?.consumer_detail ?? [];
}
