import fc from 'fast-check';
import type { RequestState, ItemEvent } from '../../../schemas/generated/types.ts';
import type { Kind } from '../../../schemas/kinds.ts';
import { defineGraph } from '../../../shared/pipeline/graph.ts';
import { itemId, pathOf } from '../../../shared/pipeline/keys.ts';
import type { Indices } from '../../../shared/pipeline/artifact.ts';
import { idle, kind } from '../pipeline/graphs.ts';

const input = kind('input/{file}', { name: 'input' });
const audio = kind('probe/audio.wav');
const cut = kind('cut/clip_{clip}/cut.mp4');
const speech = kind('split/clip_{clip}/speech.wav');
const video = kind('split/clip_{clip}/video.mp4');
const words = kind('listen/clip_{clip}/words.json');
const things = kind('look/clip_{clip}/things.json');

/** A graph like the pipeline: a fan-out followed by a fork. */
export const graph = defineGraph(
  [input],
  [
    idle('probe', input, [audio]),
    idle('cut', audio, [cut]),
    idle('split', cut, [speech, video]),
    idle('listen', speech, [words]),
    idle('look', video, [things]),
  ],
);

/** One event of a run. */
export type ReportedEvent =
  | { readonly type: 'accepted'; readonly data: RequestState }
  | { readonly type: 'redriven'; readonly data: RequestState }
  | { readonly type: 'settled'; readonly data: ItemEvent; readonly time: string };

export interface RandomRun {
  /** Events, causes before effects. */
  readonly events: readonly ReportedEvent[];
  /** Expected result: settled items by stage, with the outcome that counts. */
  readonly items: ReadonlyMap<string, ItemEvent['outcome']>;
}

type Output = ItemEvent['outputs'][number];
const output = (of: Kind, indices: Indices): Output => ({
  kind: of.name,
  item: itemId(of, indices),
  key: pathOf(of, { indices, file: 'a.mp4' }),
  etag: 'e',
});

export const accepted: RequestState = {
  request_id: 'r',
  run: 1,
  status: 'accepted',
  input: 'a.mp4',
  options: {},
  accepted_at: '2026-01-01T00:00:00.000Z',
  announced: [output(input, {})],
};

/** Course of an item: its outcomes in order, and the number of outputs written before a failure. */
const course = fc.record({
  outcomes: fc.constantFrom<ItemEvent['outcome'][]>(
    ['done'],
    ['done'],
    ['done'],
    ['reused'],
    ['skipped'],
    ['failed'],
    ['failed', 'done'],
    ['done', 'skipped'],
    ['failed', 'failed'],
    ['failed', 'failed', 'failed'],
    ['skipped', 'done', 'failed'],
  ),
  clips: fc.integer({ min: 0, max: 4 }),
  redriven: fc.boolean(),
  put: fc.double({ min: 0, max: 1, noNaN: true }),
  duration: fc.nat(1_000),
});

type Course = typeof course extends fc.Arbitrary<infer T> ? T : never;

/** @param late Whether an item may fail first and succeed later. */
export function randomRun({ late }: { late: boolean }): fc.Arbitrary<RandomRun> {
  return fc.infiniteStream(course).map((courses) => {
    const events: ReportedEvent[] = [{ type: 'accepted', data: accepted }];
    const items = new Map<string, ItemEvent['outcome']>();
    const settle = (stage: (typeof graph.stages)[number], item: string, indices: Indices): void => {
      if (items.has(`${stage.name}/${item}`)) return;
      const next = courses.next().value as Course;
      const outcomes = late ? next.outcomes : next.outcomes.slice(0, 1);
      const all = stage.produces.flatMap((of) =>
        of === cut ? Array.from({ length: next.clips }, (_, n) => output(of, { clip: n + 1 })) : [output(of, indices)],
      );
      for (const [n, outcome] of outcomes.entries()) {
        const failed = outcome === 'failed';
        const outputs = failed ? all.slice(0, Math.floor(next.put * all.length)) : all;
        const costs = {
          deliveries: n + 1,
          duration_ms: next.duration + n,
          queue_ms: n,
          cold_start: n === 0,
          cost_unit: next.duration / 1_000,
        };
        // A failed item may be redriven and then settles again.
        if (next.redriven && outcomes[n - 1] === 'failed')
          events.push({ type: 'redriven', data: { ...accepted, redriven: [{ stage: stage.name, item, sequence: n }] } });
        const error = { code: 'bad', message: `${item} is bad`, file: item };
        events.push({
          type: 'settled',
          time: new Date(Date.UTC(2026, 0, 1, 0, 0, events.length)).toISOString(),
          data: {
            request_id: 'r',
            run: 1,
            stage: stage.name,
            item,
            outcome,
            outputs,
            ...costs,
            ...(failed && { error, sequence: n + 1 }),
          },
        });
        const before = items.get(`${stage.name}/${item}`);
        if (!before || order.indexOf(outcome) > order.indexOf(before)) items.set(`${stage.name}/${item}`, outcome);
        for (const produced of outputs)
          for (const consumer of graph.consumersOf(produced.kind))
            settle(consumer, produced.item, produced.item === 'audio' ? {} : { clip: Number(produced.item.slice(-4)) });
      }
    };
    settle(graph.stage('probe'), 'input', {});
    return { events, items };
  });
}

/** Outcomes by rank; the last one counts. */
const order: readonly ItemEvent['outcome'][] = ['failed', 'skipped', 'reused', 'done'];
