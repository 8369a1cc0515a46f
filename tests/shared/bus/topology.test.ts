import { describe, expect, it } from 'vitest';
import { graph } from '../../../services/pipeline.ts';
import { kinds } from '../../../schemas/kinds.ts';
import {
  consumerConfigs,
  consumerName,
  laneOf,
  lanesOf,
  MAX_DELIVERIES,
  streamConfigs,
  streams,
  subjects,
} from '../../../shared/bus/topology.ts';

/** Returns whether a NATS subject filter matches a subject: https://docs.nats.io/nats-concepts/subjects#wildcards */
function matches(filter: string, subject: string): boolean {
  const source = filter.split('.').map((token) => (token === '*' ? '[^.]+' : token === '>' ? '.+' : token));
  return new RegExp(`^${source.join('\\.')}$`).test(subject);
}

const consumers = consumerConfigs(graph, 30);

describe('landed messages', () => {
  const landings = graph.stages.flatMap((stage) => lanesOf(stage.consumes).map((lane) => [stage, lane] as const));

  it.each(landings)('reaches each of its stages through one consumer ($0.name, $1)', ({ consumes }, lane) => {
    const subject = subjects.landed(consumes.name, lane, 'a-request_1');
    const reached = consumers.filter(
      ({ stream, config }) => stream === streams.landed && matches(config.filter_subject, subject),
    );
    const expected = graph.consumersOf(consumes.name).map(({ name }) => consumerName(name, lane));
    if (consumes === kinds.input) expected.push('tracker');
    expect(reached.map(({ config }) => config.durable_name).sort()).toEqual(expected.sort());
  });

  it('uses later lanes for later clips and batches of a request', () => {
    const lanes = ['first', 'second', 'third', 'rest'];
    expect(laneOf({})).toBe('first');
    for (const [n, range] of [
      [1, 8],
      [9, 64],
      [65, 512],
      [513, 9_999],
    ].entries())
      expect(range.map((clip) => laneOf({ clip, frame: 9_999 }))).toEqual([lanes[n], lanes[n]]);
    // A batch has 32 clips, so the third one begins after clip 64.
    expect([1, 2, 3, 4, 17, 18].map((batch) => laneOf({ batch }))).toEqual([
      'first',
      'second',
      'second',
      'third',
      'third',
      'rest',
    ]);
    expect(lanesOf(kinds.audio)).toEqual(['first']);
    expect([kinds.clip, kinds.batch].map(lanesOf)).toEqual([lanes, lanes]);
  });
});

describe('consumers', () => {
  it('has distinct names that NATS accepts', () => {
    const names = consumers.map(({ config }) => config.durable_name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => !/^[A-Za-z0-9_-]+$/.test(name))).toEqual([]);
  });

  it('uses ack_wait and no BackOff', () => {
    for (const { config } of consumers) expect(config).toMatchObject({ ack_policy: 'explicit', ack_wait: 30e9 });
    expect(consumers.filter(({ config }) => 'backoff' in config)).toEqual([]);
  });

  it('limits the deliveries of stages only', () => {
    const ofStages = graph.stages.flatMap(({ name, consumes }) => lanesOf(consumes).map((lane) => consumerName(name, lane)));
    for (const { config } of consumers) {
      expect([config.durable_name, config.max_deliver]).toEqual([
        config.durable_name,
        ofStages.includes(config.durable_name) ? MAX_DELIVERIES : undefined,
      ]);
    }
  });
});

describe('streams', () => {
  const configs = streamConfigs();

  it.each([
    [subjects.rawFast, streams.raw],
    [subjects.rawDurable, streams.raw],
    [subjects.landed('clip', 'rest', 'r'), streams.landed],
    [subjects.stage('r', 'stage-x'), streams.requests],
    [subjects.lifecycle('r', 'completed'), streams.requests],
    [subjects.deadLetter('stage-x', 'r'), streams.deadLetters],
  ])('stores %s in %s only', (subject, stream) => {
    expect(
      configs.filter((config) => config.subjects?.some((filter) => matches(filter, subject))).map(({ name }) => name),
    ).toEqual([stream]);
  });

  it('has a size limit, and refuses messages when a queue is full', () => {
    for (const config of configs) expect(config.max_bytes).toBeGreaterThan(0);
    const queues = configs.filter(({ name }) => name === streams.raw || name === streams.landed);
    expect(queues.map(({ discard, retention }) => [discard, retention])).toEqual([
      ['new', 'workqueue'],
      ['new', 'interest'],
    ]);
  });
});

it('matches every lifecycle event of a request, and no item event, with one subject filter', () => {
  const filter = subjects.lifecycle('r', '*');
  expect(matches(filter, subjects.lifecycle('r', 'completed'))).toBe(true);
  expect(matches(filter, subjects.stage('r', 'stage-x'))).toBe(false);
  expect(matches(filter, subjects.lifecycle('r2', 'completed'))).toBe(false);
});
