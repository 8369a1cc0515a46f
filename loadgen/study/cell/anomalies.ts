import type { Anomaly, ItemRecord, LoadRecord, ScaleEvent } from '../../../schemas/generated/types.ts';
import type { Bus } from '../../../shared/bus/connection.ts';
import { streams } from '../../../shared/bus/topology.ts';

/** Lateness of an arrival above which the load differs from the planned one, in ms. */
const LATE_THRESHOLD_MS = 50;

/** Returns all anomalies of a cell. Anomalous requests stay in the record. */
export function findAnomalies(
  requests: readonly LoadRecord[],
  items: readonly ItemRecord[],
  scaling: readonly ScaleEvent[],
): Anomaly[] {
  return [
    ...requests.flatMap(requestAnomalies),
    ...items.filter(({ deliveries }) => deliveries > 1).map(retried),
    ...scaling
      .filter(({ event }) => event === 'crashed')
      .map(({ stage, replica = 'a replica', time }): Anomaly => ({ what: 'crashed', stage, detail: `${replica} at ${time}` })),
  ];
}

function requestAnomalies({ request_id, status, error = '', late_ms, errors = 0 }: LoadRecord): Anomaly[] {
  const found: Anomaly[] = [];
  if (status === 'unfinished') found.push({ what: 'unfinished', request_id, detail: 'had not ended at the timeout' });
  if (status === 'error') found.push({ what: 'upload-error', request_id, detail: error });
  if (status === 'failed' || status === 'rejected') found.push({ what: 'failed', request_id, detail: error });
  else if (errors > 0) found.push({ what: 'failed', request_id, detail: `${errors} of its items failed` });
  if ((late_ms ?? 0) > LATE_THRESHOLD_MS)
    found.push({ what: 'late', request_id, detail: `sent ${Math.round(late_ms ?? 0)} ms late` });
  return found;
}

function retried({ request_id, stage, item, deliveries }: ItemRecord): Anomaly {
  return { what: 'retried', request_id, stage, detail: `${item} was delivered ${deliveries} times` };
}

/** Counts dead letters by stage and request. */
export async function countDeadLetters({ manager }: Bus): Promise<Anomaly[]> {
  const { state } = await manager.streams.info(streams.deadLetters, { subjects_filter: 'fave.dlq.>' });
  return Object.entries(state.subjects ?? {}).map(([subject, count]) => {
    const [, , stage = '', request_id = ''] = subject.split('.');
    return { what: 'dead-letter', stage, request_id, detail: `${count} in the stream of dead letters` };
  });
}
