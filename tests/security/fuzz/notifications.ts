import { kinds } from '../../../schemas/kinds.ts';
import type { Graph } from '../../../shared/pipeline/graph.ts';
import { pathOf } from '../../../shared/pipeline/keys.ts';
import type { Random } from './random.ts';

/** Values that a field of a notification has no business having. */
const STRANGE: readonly unknown[] = [
  null,
  true,
  -1,
  1e308,
  '',
  'x'.repeat(5_000),
  [],
  {},
  [[]],
  { toString: 1 },
  '\u0000',
  '__proto__',
  '%',
  '%ff',
  '%00',
  '+',
];

/** Parts of keys, well-formed and not. */
const PARTS = [
  '..',
  '.',
  '',
  '%2e%2e',
  '*',
  '>',
  'requests',
  'input',
  'metadata',
  'request.json',
  'stage-ffmpeg-1',
  'clip_0001',
  'clip_0000',
  'clip_10000',
  'frame_0001.jpg',
  'audio.wav',
  '\u202e',
  '$(x)',
  'a.b',
  '\n',
  '-',
];

/** Creates a notification as MinIO sends it, of one object or several. */
export function notification(
  graph: Graph,
  bucket: string,
  id: string,
  chance: Random,
): { EventName: string; Key: string; Records: object[] } {
  const kind = chance.pick(graph.kinds);
  const path = pathOf(kind, {
    indices: { batch: 1 + chance.int(9_999), clip: 1 + chance.int(9_999), frame: 1 + chance.int(9_999) },
    file: `video ${chance.int(9)}.mp4`,
  });
  const name = chance.int(4) === 0 ? strangeKey(id, chance) : `requests/${id}/${path}`;
  const key = encodeURIComponent(name).replaceAll('%20', '+');
  const record = (): object => ({
    eventVersion: '2.0',
    eventName: chance.pick([
      's3:ObjectCreated:Put',
      's3:ObjectCreated:CompleteMultipartUpload',
      's3:ObjectCreated:Copy',
      's3:ObjectRemoved:Delete',
    ]),
    s3: {
      bucket: { name: bucket },
      object: {
        key,
        size: chance.int(1e9),
        eTag: 'e'.repeat(1 + chance.int(32)),
        sequencer: 'AB12',
        userMetadata: metadata(kind === kinds.input, chance),
      },
    },
  });
  return {
    EventName: 's3:ObjectCreated:Put',
    Key: `${bucket}/${key}`,
    Records: Array.from({ length: 1 + chance.int(3) }, record),
  };
}

function metadata(isInput: boolean, chance: Random): Record<string, string> {
  if (isInput)
    return chance.pick<Record<string, string>>([
      {},
      { 'X-Amz-Meta-Fave-Interval': chance.pick(['2', '-1', 'x', '=?utf-8?q?=FF?=']) },
      { 'X-Amz-Meta-Fave-Nonsense': '1' },
    ]);
  const attributes = chance.pick(['{"start":0,"end":5}', '{"start":-1}', '[]', 'null', '{', '"x"', '{"other":1}']);
  return {
    'X-Amz-Meta-Fave-Run': chance.pick(['1', '2', '0', 'x', '1e99']),
    'X-Amz-Meta-Fave-Attributes': attributes,
    'X-Amz-Meta-Fave-Options': chance.pick(['{}', '{"interval":2}', 'null', '[1]', '{"a":{}}']),
  };
}

function strangeKey(id: string, chance: Random): string {
  const parts = Array.from({ length: 1 + chance.int(5) }, () => chance.pick(PARTS));
  return chance.int(2) === 0 ? ['requests', id, ...parts].join('/') : ['requests', ...parts].join('/');
}

/** Damages a notification: a field replaced, removed or added anywhere, or the text itself cut and changed. */
export function damage(value: object, chance: Random): string {
  const copy = structuredClone(value);
  for (let n = chance.int(3); n > 0; n--) damageField(copy, chance);
  const text = JSON.stringify(copy);
  if (chance.int(4) > 0) return text;
  const at = chance.int(text.length);
  return chance.pick([
    text.slice(0, at),
    text.slice(at),
    text.slice(0, at) + String.fromCharCode(chance.int(256)) + text.slice(at + 1),
    `${text}${text}`,
    '',
    'null',
    '[]',
  ]);
}

function damageField(root: object, chance: Random): void {
  let at = root as Record<string, unknown>;
  for (;;) {
    const names = Object.keys(at);
    if (names.length === 0) return;
    const name = chance.pick(names);
    const inside = at[name];
    if (typeof inside === 'object' && inside !== null && Object.keys(inside).length > 0 && chance.int(5) > 0) {
      at = inside as Record<string, unknown>;
      continue;
    }
    const how = chance.int(3);
    if (how === 0) at[name] = chance.pick(STRANGE);
    else if (how === 1) Reflect.deleteProperty(at, name);
    else at[chance.pick(['extra', '__proto__', 'key', 'Records'])] = chance.pick(STRANGE);
    return;
  }
}
