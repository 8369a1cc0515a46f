import { describe, expect, it } from 'vitest';
import { parseRequestEvent, type RequestEvent } from '../../shared/bus/request-events.ts';
import { createProgress, formatProgress } from '../../cli/output/progress.ts';
import { graph } from '../../services/pipeline.ts';
import { cloudEvent } from '../../shared/bus/events.ts';
import { record } from '../support/harness/run-cli.ts';

const input = { kind: 'input', item: 'input', key: 'input/a.mp4', etag: 'e' };
const lifecycle = (name: 'accepted' | 'rejected' | 'completed', run = 1): RequestEvent => ({
  type: 'lifecycle',
  name,
  time: '2026-01-01T00:00:00Z',
  data: { request_id: 'x', run, status: name, ...(name === 'accepted' && { announced: [input] }) },
});
const item = (stage: string, id: string, outcome: 'done' | 'failed', outputs: readonly string[] = []): RequestEvent => ({
  type: 'item',
  time: '2026-01-01T00:00:01Z',
  data: {
    request_id: 'x',
    run: 1,
    stage,
    item: id,
    outcome,
    deliveries: 1,
    duration_ms: 1,
    queue_ms: 1,
    cold_start: false,
    cost_unit: 0,
    outputs: outputs.map((kind) => ({ kind, item: kind, key: `${stage}/${kind}`, etag: 'e' })),
  },
});

describe('createProgress', () => {
  it('counts landed, done and failed items', () => {
    const progress = createProgress(graph, 'x');
    [lifecycle('accepted'), item('stage-ffmpeg-0', 'input', 'done', ['audio']), item('stage-librosa', 'audio', 'failed')].forEach(
      progress.apply,
    );
    const of = Object.fromEntries(progress.stages().map((line) => [line.stage, line]));
    expect(of['stage-ffmpeg-0']).toMatchObject({ landed: 1, done: 1, failed: 0 });
    expect(of['stage-librosa']).toMatchObject({ landed: 1, done: 0, failed: 1 });
    expect(of['stage-ffmpeg-1']).toMatchObject({ landed: 0, done: 0, failed: 0 });
  });

  it('ends with the run and ignores later rejections', () => {
    const progress = createProgress(graph, 'x');
    progress.apply(lifecycle('accepted'));
    progress.apply(lifecycle('rejected'));
    expect(progress.ended()).toBeUndefined();
    progress.apply(lifecycle('completed'));
    expect(progress.ended()?.status).toBe('completed');
    progress.apply(lifecycle('accepted', 2));
    expect(progress.ended()).toBeUndefined();
  });

  it('ends with a rejection before acceptance', () => {
    const progress = createProgress(graph, 'x');
    progress.apply(lifecycle('rejected'));
    expect(progress.ended()?.status).toBe('rejected');
  });

  it('fits the width of the terminal', () => {
    const progress = createProgress(graph, 'x');
    progress.apply(item('stage-librosa', 'audio', 'failed'));
    const stages = progress.stages().map((line) => ({ ...line, landed: 9_999, done: 5_000, failed: 4_999 }));
    for (const line of formatProgress('v'.repeat(200), stages, 12_345, record())) expect(line.length).toBeLessThanOrEqual(80);
  });
});

describe('parseRequestEvent', () => {
  it('parses an event by its subject', () => {
    const event = cloudEvent(
      { id: '1', source: 'tracker', type: 't', subject: 'x' },
      { request_id: 'x', run: 1, status: 'accepted' },
    );
    expect(parseRequestEvent({ subject: 'fave.requests.x.accepted', text: JSON.stringify(event) })).toMatchObject({
      type: 'lifecycle',
      name: 'accepted',
    });
    expect(() => parseRequestEvent({ subject: 'fave.requests.x.accepted', text: '{}' })).toThrow(/not a valid cloud event/);
  });

  it.each([
    ['fave.requests.other.accepted', lifecycle('accepted')],
    ['fave.requests.other.stage.stage-grep', item('stage-grep', 'a', 'done')],
    ['fave.requests.x.stage.stage-grep', item('stage-librosa', 'a', 'done')],
  ])('rejects an event on %s about another request or stage', (subject, { data }) => {
    const event = cloudEvent({ id: 'i', source: 's', type: 't', subject: 'x' }, data);
    expect(() => parseRequestEvent({ subject, text: JSON.stringify(event) })).toThrow(/another request or stage/);
  });
});
