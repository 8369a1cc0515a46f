import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { EVENTS } from '../../../infra/setup/notification-rules.ts';

it('the rule for a queue of AWS names the events that the rules of MinIO name', () => {
  const [, list = ''] =
    /put-bucket-notification-configuration.*?Events: \[(.*?)\]/s.exec(readFileSync('docs/operations.md', 'utf8')) ?? [];
  expect(JSON.parse(`[${list}]`)).toEqual(EVENTS);
});
