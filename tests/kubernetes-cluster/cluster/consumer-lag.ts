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

/** Milliseconds that a server may take: one that was killed does not answer at all. */
const PATIENCE = 1_000;

/**
 * Reads `num_pending + num_ack_pending` of each consumer of what landed, as KEDA does: from the server that leads it, as the others know
 * no more than what it told them. A consumer that nobody leads at the moment has what it had.
 * @param servers Addresses by name.
 */
export function createLags(servers: () => Promise<ReadonlyMap<string, string>>): () => Promise<Map<string, number>> {
  const known = new Map<string, number>();
  return async () => {
    const answers = [...(await servers())].map(async ([server, address]) => {
      for (const { name, num_pending, num_ack_pending, cluster } of await consumersOf(address))
        if ((cluster?.leader ?? server) === server) known.set(name, num_pending + num_ack_pending);
    });
    await Promise.all(answers);
    return new Map(known);
  };
}

async function consumersOf(address: string) {
  const url = `http://${address}:${ports.monitor}/jsz?acc=$G&consumers=true`;
  const answer = await fetch(url, { signal: AbortSignal.timeout(PATIENCE) }).then(
    (response) => response.json() as Promise<Monitor>,
    (): Monitor => ({}), // starts, or was killed
  );
  const landed = (answer.account_details ?? [])
    .flatMap((account) => account.stream_detail)
    .find(({ name }) => name === streams.landed);
  return landed?.consumer_detail ?? [];
}
