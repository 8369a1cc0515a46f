import type { RequestState } from '../../schemas/generated/types.ts';
import type { Graph } from '../../shared/pipeline/graph.ts';
import { summarise } from '../../shared/requests/run-state.ts';
import type { Service } from '../../shared/runtime/service/service.ts';
import { isReadyToClose, type Effect, type OpenRun, type Runs } from './apply-event.ts';
import { closeRun } from './close-run.ts';
import type { ItemCounters } from './metrics/item-counters.ts';
import type { StateWriter } from './state-writer.ts';

/** Delay before a failed close is retried (ms). */
const CLOSE_RETRY_MS = 1_000;

/** Returns the function that performs the effects of live events. */
export function createPerformer(
  { bus, log, metrics }: Pick<Service, 'bus' | 'log' | 'metrics'>,
  graph: Graph,
  { runs, states, counters }: { readonly runs: Runs; readonly states: StateWriter; readonly counters: ItemCounters },
): (effect: Effect) => void {
  const summaryOf = (requestId: string): RequestState | undefined => {
    const run = runs.get(requestId);
    // A closing run has written its final state, which an earlier state must not overwrite.
    return run?.phase === 'open' ? summarise(run.state, graph) : undefined;
  };

  const close = async (run: OpenRun): Promise<void> => {
    const { requestId } = run.state;
    if (runs.get(requestId) !== run || !isReadyToClose(run)) return;
    run.phase = 'closing';
    const result = await closeRun({ bus, log, states }, run, graph);
    if (result === 'closed') return; // The run ends when its terminal event arrives.
    run.phase = 'open';
    // The state file contains the final state, which another event may have invalidated.
    if (result === 'superseded' || !isReadyToClose(run)) perform({ type: 'write-state', requestId });
    if (result === 'retry') setTimeout(() => void close(run), CLOSE_RETRY_MS).unref();
  };

  const perform = (effect: Effect): void => {
    switch (effect.type) {
      case 'write-state':
        states.schedule(effect.requestId, () => effect.state ?? summaryOf(effect.requestId));
        break;
      case 'close-run':
        void close(effect.run);
        break;
      case 'count-item':
        counters.count(effect);
        break;
      case 'count-request':
        metrics.requests.inc({ status: effect.status });
        if (effect.durationMs !== undefined)
          metrics.requestDuration.observe({ status: effect.status }, effect.durationMs / 1_000);
    }
  };
  return perform;
}
