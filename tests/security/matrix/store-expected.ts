import { kinds, type Kind } from '../../../schemas/kinds.ts';
import {
  CANARY_REQUEST,
  canaryKey,
  memoKey,
  metadataPaths,
  pathOf,
  requestPrefix,
  SCRATCH_PREFIX,
} from '../../../shared/pipeline/keys.ts';
import type { Graph } from '../../../shared/pipeline/graph.ts';

/** Roles that read, write and remove an object, and that abort an upload of it in parts. */
export interface ObjectAccess {
  readonly read: readonly string[];
  readonly write: readonly string[];
  readonly remove?: readonly string[];
  readonly abort?: readonly string[];
}

/** Returns an example of every key of the bucket with the roles that may access it. Nobody else may. */
export function expectedAccess(graph: Graph, requestId: string): Record<string, ObjectAccess> {
  const { stages } = graph;
  const names = stages.map(({ name }) => name);
  const prefix = requestPrefix(requestId);
  const keyOf = (kind: Kind): string => prefix + pathOf(kind, { indices: { batch: 1, clip: 1, frame: 1 }, file: 'video.mp4' });
  const only = (...roles: string[]): ObjectAccess => ({ read: ['submitter', ...roles], write: roles });
  const ofKinds = graph.kinds.map((kind): [string, ObjectAccess] => {
    const producers = stages.filter(({ produces }) => produces.includes(kind)).map(({ name }) => name);
    const readers = stages.filter(({ consumes, reads = [] }) => [consumes, ...reads].includes(kind)).map(({ name }) => name);
    return [
      keyOf(kind),
      {
        read: [
          'submitter',
          ...(kind.announced && kind !== kinds.canary ? ['relay'] : []),
          ...new Set([...producers, ...readers]),
        ],
        ...(kind === kinds.input ? { write: ['submitter'], abort: ['submitter'] } : { write: producers }),
      },
    ];
  });
  const access = Object.fromEntries(ofKinds);
  return {
    ...access,
    [canaryKey(requestId)]: { read: ['submitter'], write: [] },
    [canaryKey(CANARY_REQUEST)]: { read: ['submitter'], write: ['tracker'], remove: ['tracker'] },
    [prefix + metadataPaths.request]: { read: ['submitter', 'relay', 'tracker', ...names], write: ['relay'] },
    [prefix + metadataPaths.state]: only('tracker'),
    [prefix + metadataPaths.cancelled]: { read: ['submitter', ...names], write: ['tracker'] },
    ...Object.fromEntries(
      names.flatMap((name): [string, ObjectAccess][] => [
        [prefix + metadataPaths.receipt(name, 'clip_0001'), only(name)],
        [prefix + metadataPaths.log(name, '2026-01-01T000000Z-x'), { ...only(name), read: ['submitter'] }],
        [memoKey(name, 'hash'), { ...only(name), read: [name] }],
        // A folder whose name begins with that of a stage.
        [`${prefix}${name}x/clip_0001/clip.mp4`, { read: ['submitter'], write: [] }],
      ]),
    ),
    [`${prefix}other`]: { read: ['submitter'], write: [] },
    [`${SCRATCH_PREFIX}x`]: { read: [], write: [] },
    'other/x': { read: [], write: [] },
    // `*` in a policy matches `/`. These keys are not valid; the relay rejects them.
    [`${prefix}nested/${kinds.input.key.replace('{file}', 'video.mp4')}`]: access[keyOf(kinds.input)] ?? only(),
  };
}
