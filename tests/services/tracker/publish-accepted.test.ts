import type { JsMsg } from '@nats-io/jetstream';
import { beforeEach, describe, expect, it } from 'vitest';
import { publishAccepted } from '../../../services/tracker/publish-accepted.ts';
import type { LandedMessage, Request, RequestState } from '../../../schemas/generated/types.ts';
import { createLogger } from '../../../shared/observability/log.ts';
import type { Service } from '../../../shared/runtime/service/service.ts';
import { graph } from '../../shared/requests/random-run.ts';

const request: Request = { input: { file: 'a.mp4', etag: 'e', size: 1 }, options: { query: 'tea' }, traceparent: 't' };
const landed: LandedMessage = {
  kind: 'input',
  lane: 'first',
  request_id: 'r',
  key: 'requests/r/input/a.mp4',
  etag: 'e',
  size: 1,
  run: 1,
  options: { query: 'forged' },
  attributes: {},
};

let objects: Record<string, object>;
beforeEach(() => {
  objects = { 'requests/r/metadata/request.json': request };
});

const stateFile = (status: RequestState['status']): void => {
  objects['requests/r/metadata/state.json'] = { request_id: 'r', run: 2, status };
};

/** Returns the published event data, if any, and the acknowledgement of the message. */
async function publishFor(forged: Partial<LandedMessage> = {}, deliveryCount = 1): Promise<[unknown, string]> {
  let [published, acknowledged]: [unknown, string] = [undefined, ''];
  const service = {
    store: {
      getText: (key: string) => Promise.resolve(objects[key] && { text: JSON.stringify(objects[key]), etag: 'e' }),
    },
    bus: { publish: (_: string, { data }: { data: unknown }) => Promise.resolve((published = data)) },
    log: createLogger({}, 'silent'),
  } as unknown as Service;
  const message = {
    string: () => JSON.stringify({ ...landed, ...forged }),
    timestampNanos: 0n,
    info: { deliveryCount },
    ack: () => (acknowledged = 'ack'),
    nak: () => (acknowledged = 'nak'),
    term: () => (acknowledged = 'term'),
  } as unknown as JsMsg;
  await publishAccepted(service, graph, message);
  return [published, acknowledged];
}

describe('publishAccepted', () => {
  const accepted = {
    request_id: 'r',
    run: 1,
    status: 'accepted',
    input: 'a.mp4',
    options: { query: 'tea' },
    accepted_at: '1970-01-01T00:00:00.000Z',
    announced: [{ kind: 'input', item: 'input', key: 'input/a.mp4', etag: 'e' }],
  };

  it('publishes the admitted request, whatever options the message states', async () => {
    expect(await publishFor()).toEqual([accepted, 'ack']);
  });

  it.each(['accepted', 'running', 'rejected'] as const)('publishes a request whose state is %s', async (status) => {
    stateFile(status);
    expect(await publishFor()).toEqual([accepted, 'ack']);
  });

  it.each(['completed', 'failed', 'cancelled'] as const)('does not open a request again that is %s', async (status) => {
    stateFile(status);
    expect(await publishFor()).toEqual([undefined, 'ack']);
  });

  it('ignores later runs, which the command that starts them accepts', async () => {
    expect(await publishFor({ run: 2 })).toEqual([undefined, 'ack']);
    expect(await publishFor({ run: Number.MAX_SAFE_INTEGER })).toEqual([undefined, 'ack']);
  });

  it('refuses an input that was not admitted', async () => {
    expect(await publishFor({ key: 'requests/r/input/b.mp4' })).toEqual([undefined, 'term']);
    expect(await publishFor({ key: 'requests/s/input/a.mp4' })).toEqual([undefined, 'term']);
    expect(await publishFor({ etag: 'other' })).toEqual([undefined, 'term']);
  });

  it('waits for a missing request and refuses it after four deliveries', async () => {
    objects = {};
    expect(await publishFor({}, 3)).toEqual([undefined, 'nak']);
    expect(await publishFor({}, 4)).toEqual([undefined, 'term']);
  });
});
