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

/** Returns an example of every key of the bucket with the roles that have access. All other roles are denied. */
export function expectedAccess(graph: Graph, requestId: string): Record<string, ObjectAccess> {
  const { stages } = graph;
  // These roles read all objects of requests.
  const readers = ['submitter', 'tracker'];
  const names = stages.map(({ name }) => name);
  const prefix = requestPrefix(requestId);
  const keyOf = (kind: Kind): string => prefix + pathOf(kind, { indices: { batch: 1, clip: 1, frame: 1 }, file: 'video.mp4' });
  const only = (...roles: string[]): ObjectAccess => ({ read: [...readers, ...roles], write: roles });
  const ofKinds = graph.kinds.map((kind): [string, ObjectAccess] => {
    const producers = stages.filter(({ produces }) => produces.includes(kind)).map(({ name }) => name);
    const consumers = stages.filter(({ consumes, reads = [] }) => [consumes, ...reads].includes(kind)).map(({ name }) => name);
    return [
      keyOf(kind),
      {
        read: [
          ...readers,
          ...(kind.announced && kind !== kinds.canary ? ['relay'] : []),
          ...new Set([...producers, ...consumers]),
        ],
        ...(kind === kinds.input ? { write: ['submitter'], abort: ['submitter'] } : { write: producers }),
      },
    ];
  });
  const access = Object.fromEntries(ofKinds);
  return {
    ...access,
    [canaryKey(requestId)]: { read: readers, write: [] },
    [canaryKey(CANARY_REQUEST)]: { read: readers, write: ['tracker'], remove: ['tracker'] },
    [prefix + metadataPaths.request]: { read: [...readers, 'relay', ...names], write: ['relay'] },
    [prefix + metadataPaths.state]: { read: [...readers, 'relay'], write: ['tracker'] },
    [prefix + metadataPaths.cancelled]: { read: [...readers, ...names], write: ['tracker'] },
    ...Object.fromEntries(
      names.flatMap((name): [string, ObjectAccess][] => [
        [prefix + metadataPaths.receipt(name, 'clip_0001'), only(name)],
        [prefix + metadataPaths.log(name, '2026-01-01T000000Z-x'), { ...only(name), read: readers }],
        [memoKey(name, 'hash'), { ...only(name), read: [name] }],
        // A folder whose name begins with that of a stage.
        [`${prefix}${name}x/clip_0001/clip.mp4`, { read: readers, write: [] }],
      ]),
    ),
    [`${prefix}other`]: { read: readers, write: [] },
    [`${SCRATCH_PREFIX}x`]: { read: [], write: [] },
    'other/x': { read: [], write: [] },
    // `*` in a policy matches `/`. These keys are not valid; the relay rejects them.
    [`${prefix}nested/${kinds.input.key.replace('{file}', 'video.mp4')}`]: access[keyOf(kinds.input)] ?? only(),
  };
}
