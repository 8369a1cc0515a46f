import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { EVENTS } from '../../../infra/setup/notification-rules.ts';

it('lists the same events for an AWS queue as for MinIO', () => {
  const [, list = ''] =
    /put-bucket-notification-configuration.*?Events: \[(.*?)\]/s.exec(readFileSync('docs/operations.md', 'utf8')) ?? [];
  expect(JSON.parse(`[${list}]`)).toEqual(EVENTS);
});
