import type { RequestState } from '../../schemas/generated/types.ts';
import { parseJson } from '../../shared/core/validate.ts';
import { metadataPaths, requestPrefix } from '../../shared/pipeline/keys.ts';
import type { Store } from '../../shared/store/store.ts';
import { isOpen, isReadyToClose, type Effect, type Runs } from './apply-event.ts';

/** The events that were stored before the tracker started. Earlier trackers have performed most of their effects. */
export interface History {
  add(effects: readonly Effect[]): void;
  /** Returns the effects that the open runs require now. */
  effectsOf(runs: Runs): Effect[];
  /** Returns the writes of cancelled and rejected states that no tracker performed. */
  outdatedStates(store: Pick<Store, 'getText'>): Promise<Effect[]>;
}

export function createHistory(): History {
  const states = new Map<string, RequestState>();
  return {
    add(effects) {
      for (const effect of effects) {
        if (effect.type !== 'write-state') continue;
        if (effect.state) states.set(effect.requestId, effect.state);
        else states.delete(effect.requestId); // A later run replaces the state.
      }
    },
    effectsOf: (runs) =>
      [...runs].flatMap(([requestId, run]): Effect[] => {
        if (!isOpen(run)) return [];
        const writeState: Effect = { type: 'write-state', requestId };
        return isReadyToClose(run) ? [writeState, { type: 'close-run', run }] : [writeState];
      }),
    async outdatedStates(store) {
      const effects: Effect[] = [];
      for (const [requestId, state] of states) {
        const file = await store.getText(requestPrefix(requestId) + metadataPaths.state);
        if (isOutdated(file && parseJson('requestState', file.text), state))
          effects.push({ type: 'write-state', requestId, state });
      }
      return effects;
    },
  };
}

function isOutdated(written: RequestState | undefined, state: RequestState): boolean {
  if (!written) return true;
  const isOlder = written.run < state.run || (written.run === state.run && written.status === 'running');
  return isOlder && state.status === 'cancelled';
}
