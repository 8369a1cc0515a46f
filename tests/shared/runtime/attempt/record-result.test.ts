import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Bus } from '../../../../shared/bus/connection.ts';
import { PermanentError } from '../../../../shared/core/errors.ts';
import { createLogger } from '../../../../shared/observability/log.ts';
import { createMetrics, type Metrics } from '../../../../shared/runtime/service/metrics.ts';
import { runWorker } from '../../../../shared/runtime/worker.ts';
import type { Store } from '../../../../shared/store/store.ts';
import { tinyGraph } from '../../../fixtures/tiny/graph.ts';
import { exec } from '../../../support/exec.ts';
import { uniqueId, type Stack } from '../../../support/stack.ts';
import { requestMetadata, WAIT, startGraph } from '../../../support/harness/runtime.ts';
import { createTempDir } from '../../../support/temp-dir.ts';

const graph = tinyGraph((text) => {
  if (text.startsWith('bad')) throw new PermanentError('unreadable-frame', 'this line is bad');
});

let stack: Stack;
beforeAll(async () => {
  stack = await startGraph(graph, ['relay', 'split-lines']);
});

/** Records the start and the end of every effect of a worker that is visible outside its process, in order. */
function recordEffects(): { effects: string[]; store: Store; bus: Bus; metrics: Metrics } {
  const effects: string[] = [];
  const record = async <T>(name: string, effect: Promise<T>): Promise<T> => {
    effects.push(name);
    const result = await effect;
    effects.push(`${name} stored`);
    return result;
  };
  const put: Store['put'] = (key, ...rest) => {
    const stored = stack.store.put(key, ...rest);
    return key.includes('/metadata/items/') ? record('receipt', stored) : stored;
  };
  const publish: Bus['publish'] = (subject, ...rest) =>
    record(subject.startsWith('fave.dlq.') ? 'dead letter' : 'item event', stack.bus.publish(subject, ...rest));
  const connection = new Proxy(stack.bus.connection, {
    get(target, name) {
      const value = target[name as keyof typeof target] as unknown;
      if (typeof value !== 'function') return value;
      return (subject: string, payload: string, ...rest: unknown[]): unknown => {
        const isAcknowledgement = /^\$JS\.ACK\./.test(subject) && payload !== '+WPI';
        if (isAcknowledgement) effects.push(payload);
        return (value as (...args: unknown[]) => unknown).call(target, subject, payload, ...rest);
      };
    },
  });
  const metrics = createMetrics('uppercase');
  const increment = metrics.items.inc.bind(metrics.items) as (...args: unknown[]) => void;
  metrics.items.inc = (...args: unknown[]) => {
    if (args[1] !== 0) effects.push('metrics'); // 0 initialises the counter
    increment(...args);
  };
  return { effects, store: { ...stack.store, put }, bus: { ...stack.bus, publish, connection }, metrics };
}

async function effectsOf(text: string): Promise<string[]> {
  const { effects, ...recorded } = recordEffects();
  const dir = createTempDir();
  const [drain, kill] = [new AbortController(), new AbortController()];
  const running = runWorker(graph.stage('uppercase'), {
    config: { ...stack.config, ackWaitSeconds: 1, tmpdir: dir, logLevel: 'silent' },
    log: createLogger({}, 'silent'),
    ...recorded,
    exec,
    settings: {},
    drainSignal: drain.signal,
    killSignal: kill.signal,
    ready: () => undefined,
    firstItem: () => undefined,
  });
  const request = requestMetadata(stack, uniqueId());
  await request.put(text, { memo: 'false' });
  await vi.waitUntil(() => effects.some((effect) => /^\+(ACK|TERM)/.test(effect)), WAIT);
  drain.abort();
  await running;
  return effects;
}

describe('runWorker', () => {
  it('stores receipt and item event and counts a finished item before it acknowledges the delivery', async () => {
    expect(await effectsOf('good')).toEqual(['receipt', 'receipt stored', 'item event', 'item event stored', 'metrics', '+ACK']);
  });

  it('stores the dead letter of a failed item after its receipt and before its item event', async () => {
    expect(await effectsOf('bad')).toEqual([
      'receipt',
      'receipt stored',
      'dead letter',
      'dead letter stored',
      'item event',
      'item event stored',
      'metrics',
      '+TERM',
    ]);
  });
});
