import { type Kind, kinds } from '../../schemas/kinds.ts';
import { defineGraph, type Graph } from '../../shared/pipeline/graph.ts';
import { defineStage, type AnyStage } from '../../shared/pipeline/stage.ts';

/**
 * Two stages without tools, which leave only the overhead of the platform. `bench-fan` creates as many parts of an upload as its name
 * states (`500.json`); `bench-work` copies each part. Their artifacts are the smallest ones that a schema allows.
 */
const part = {
  name: 'part',
  key: 'bench-fan/clip_{clip}/part.json',
  contentType: 'application/json',
  schema: 'frames',
  announced: true,
} as const satisfies Kind;
const copy = { ...part, name: 'copy', key: 'bench-work/clip_{clip}/copy.json' } as const satisfies Kind;

export const FAN_STAGE = 'bench-fan';
export const WORK_STAGE = 'bench-work';

/** Creates the graph of the two stages. @param mark Called at the start and the end of each step. */
export function createFixtureGraph(mark: (name: string) => void = () => undefined): Graph {
  return defineGraph([kinds.input, kinds.canary], [fan(mark), work(mark)]);
}

function fan(mark: (name: string) => void): AnyStage {
  return defineStage({
    name: FAN_STAGE,
    version: 1,
    consumes: kinds.input,
    produces: [part],
    async run(input, { outputs }) {
      const parts = Number.parseInt(input.name);
      for (let clip = 1; clip <= parts; clip += 1) {
        // The memo would reuse results of equal parts.
        const value = { start: Math.random(), end: 1, interval: 1, frames: [] };
        mark('put');
        await outputs.json(part, value, { indices: { clip } });
      }
    },
  });
}

function work(mark: (name: string) => void): AnyStage {
  return defineStage({
    name: WORK_STAGE,
    version: 1,
    consumes: part,
    produces: [copy],
    async run(item, { outputs }) {
      mark('begun');
      await outputs.json(copy, (await item.json()) as object);
      mark('made');
    },
  });
}
