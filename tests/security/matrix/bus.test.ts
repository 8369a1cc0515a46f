import { beforeAll, describe, expect, it } from 'vitest';
import { busPermissions } from '../../../infra/access/permissions.ts';
import { readSecrets, type Secrets } from '../../../infra/access/secrets.ts';
import { graph } from '../../../services/pipeline.ts';
import { connectBus, type Bus } from '../../../shared/bus/connection.ts';
import { createOwnStack, type Stack } from '../../support/stack.ts';
import { expectedPermissions, publishSubjects, subscribeSubjects } from './bus-subjects.ts';

const users = Object.keys(busPermissions(graph)).filter((user) => user !== 'admin');

let stack: Stack;
let passwords: Secrets['bus'];
beforeAll(async () => {
  stack = await createOwnStack();
  passwords = (await readSecrets(stack.dataDir))!.bus;
});

/** Connects as a user, runs `use`, and returns the subjects of the permission errors of the server. */
async function refusedTo(user: string, use: (bus: Bus) => void): Promise<Set<string>> {
  const bus = await connectBus({ ...stack.config.bus, user, password: passwords[user] ?? '' }, user);
  const refused = new Set<string>();
  const listening = (async () => {
    for await (const status of bus.connection.status())
      if (status.type === 'error')
        refused.add(/(?:Publish|Subscription) to "([^"]+)"/.exec(status.error.message)?.[1] ?? status.error.message);
  })();
  use(bus);
  // The server processes the operations in order, so every refusal has arrived before the answer to the ping.
  await bus.connection.flush();
  await bus.close();
  await listening;
  return refused;
}

describe.each(users)('on the bus %s', (user) => {
  const { publish, subscribe } = expectedPermissions(graph, user);

  it('publishes only to the expected subjects', async () => {
    const subjects = publishSubjects(graph);
    const refused = await refusedTo(user, (bus) => {
      for (const subject of subjects) bus.connection.publish(subject, '{}');
    });
    expect(subjects.filter((subject) => publish(subject) === refused.has(subject))).toEqual([]);
  });

  it('subscribes only to the expected subjects', async () => {
    const subjects = subscribeSubjects(graph);
    const refused = await refusedTo(user, (bus) => {
      for (const subject of subjects) bus.connection.subscribe(subject, { callback: () => undefined });
    });
    expect(subjects.filter((subject) => subscribe(subject) === refused.has(subject))).toEqual([]);
  });
});
