import { describe, expect, it } from 'vitest';
import { storePolicies } from '../../../infra/access/policies.ts';
import type { Kind } from '../../../schemas/kinds.ts';
import { graph } from '../../../services/pipeline.ts';
import { memoKey, metadataPaths, requestPrefix } from '../../../shared/pipeline/keys.ts';

/** Variable part of a valid key: one or more characters except `/`. */
const VARIABLE = '\0';

/** Returns whether a key of a template matches a pattern of a store policy, whose `*` matches any text, also with `/`. */
function canMatch(pattern: string, template: string): boolean {
  const seen = new Set<string>();
  const search = (p: number, t: number): boolean => {
    if (seen.has(`${p} ${t}`)) return false;
    seen.add(`${p} ${t}`);
    const [wanted, given] = [pattern[p], template[t]];
    if (wanted === '*') return search(p + 1, t) || (given !== undefined && search(p, t + 1));
    if (wanted === undefined || given === undefined) return wanted === given;
    if (given !== VARIABLE) return wanted === given && search(p + 1, t + 1);
    return wanted !== '/' && (search(p + 1, t + 1) || search(p + 1, t));
  };
  return search(0, 0);
}

/** Returns the template of the receipts of a stage. Its items have the name of the kind, or its numbers. */
function receiptOf(stage: string, { key, name }: Kind): string {
  const numbers = [...key.matchAll(/\{(batch|clip|frame)\}/g)].map(([, index = '']) => `${index}_${VARIABLE}`);
  return requestPrefix(VARIABLE) + metadataPaths.receipt(stage, numbers.join('-') || name);
}

/** Templates of all valid keys. */
const templates = [
  ...graph.kinds.map(({ key }) => requestPrefix(VARIABLE) + key.replace(/\{\w+\}/g, VARIABLE)),
  ...[metadataPaths.request, metadataPaths.state, metadataPaths.cancelled].map((path) => requestPrefix(VARIABLE) + path),
  ...graph.stages.flatMap(({ name, consumes }) => [
    receiptOf(name, consumes),
    requestPrefix(VARIABLE) + metadataPaths.log(name, VARIABLE),
    memoKey(name, VARIABLE),
  ]),
];

const policies = storePolicies(graph, 'bucket');

/** Returns the patterns of keys for which a role has a permission. */
const patternsOf = (role: string, action: string): string[] =>
  (policies[role]?.Statement ?? []).flatMap(({ Effect, Action, Resource = [] }) =>
    Effect === 'Allow' && Action.includes(action) ? Resource.map((arn) => arn.replace('arn:aws:s3:::bucket/', '')) : [],
  );

describe('canMatch', () => {
  it.each([
    ['requests/*/input/*', `requests/${VARIABLE}/input/${VARIABLE}`, true],
    ['requests/*/input/*', `requests/${VARIABLE}/metadata/${VARIABLE}.json`, false],
    ['requests/*/b/*', `requests/${VARIABLE}/a/b/${VARIABLE}`, true],
    ['requests/*/x.json', `requests/${VARIABLE}/${VARIABLE}.json`, true],
    ['memo/a/*', `memo/ab/${VARIABLE}`, false],
  ])('compares %j with %j', (pattern, template, expected) => {
    expect(canMatch(pattern, template)).toBe(expected);
  });
});

describe('storePolicies', () => {
  it('permits no two roles to write the same valid key, although patterns match slashes', () => {
    for (const template of templates) {
      const writers = Object.keys(policies).filter((role) =>
        patternsOf(role, 's3:PutObject').some((pattern) => canMatch(pattern, template)),
      );
      expect([template, writers.length]).toEqual([template, 1]);
    }
  });

  it.each(graph.stages)(
    'permits $name to read only its own keys and those of declared kinds',
    ({ name, consumes, reads = [], produces }) => {
      const declared = [consumes, ...reads, ...produces].map(
        ({ key }) => requestPrefix(VARIABLE) + key.replace(/\{\w+\}/g, VARIABLE),
      );
      const readable = templates.filter((template) =>
        patternsOf(name, 's3:GetObject').some((pattern) => canMatch(pattern, template)),
      );
      const others = readable.filter((template) => !declared.includes(template));
      expect(others.sort()).toEqual(
        [
          requestPrefix(VARIABLE) + metadataPaths.cancelled,
          receiptOf(name, consumes),
          requestPrefix(VARIABLE) + metadataPaths.request,
          memoKey(name, VARIABLE),
        ].sort(),
      );
    },
  );
});
