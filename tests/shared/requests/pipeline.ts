import { vi } from 'vitest';
import type { RequestState, ItemEvent } from '../../../schemas/generated/types.ts';
import { fave, type Run } from '../../support/harness/run-cli.ts';
import { requestMetadata, setUpStack, start, WAIT, type Running } from '../../support/harness/runtime.ts';
import { createOwnStack, uniqueId, type Stack } from '../../support/stack.ts';
import { graph } from './graph.ts';

/** A test pipeline on its own servers. */
export interface Pipeline {
  readonly stack: Stack;
  readonly running: Readonly<Record<string, Running>>;
  /** Runs `fave` as an administrator. */
  fave(...args: string[]): Promise<Run>;
  request(id?: string): PipelineRequest;
}

export type PipelineRequest = ReturnType<typeof requestMetadata> & {
  /** Waits for the end of a run. */
  end(run: number): Promise<RequestState>;
  /** Returns the number of events that ended a run. */
  endsOf(run: number): Promise<number>;
  /** Returns the outcomes of a stage in a run, by item. */
  outcomes(stage: string, run: number): Promise<Record<string, ItemEvent['outcome']>>;
};

export async function startPipeline(
  names: readonly string[] = ['relay', 'tracker', 'split-lines', 'uppercase', 'echo'],
): Promise<Pipeline> {
  const stack = await createOwnStack();
  await setUpStack(stack, graph);
  const running: Record<string, Running> = {};
  for (const name of names) running[name] = await start(stack, graph, name);
  return {
    stack,
    running,
    fave: (...args) => fave(args, { env: stack.environment }),
    request: (id = uniqueId()) => {
      const request = requestMetadata(stack, id);
      const ends = async (run: number): Promise<RequestState[]> =>
        (await Promise.all(['completed', 'failed', 'cancelled'].map((name) => request.lifecycle(name))))
          .flat()
          .filter((end) => end.run === run);
      return {
        ...request,
        end: async (run) => vi.waitUntil(async () => (await ends(run))[0], WAIT),
        endsOf: async (run) => (await ends(run)).length,
        outcomes: async (stage, run) =>
          Object.fromEntries(
            (await request.progress(stage)).filter((one) => one.run === run).map(({ item, outcome }) => [item, outcome]),
          ),
      };
    },
  };
}
