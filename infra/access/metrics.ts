import { createHmac } from 'node:crypto';
import type { Policy } from './policies.ts';

/** Role of the scraper of the store's metrics. */
export const METRICS_ROLE = 'metrics';

/** Path of the store's metrics. */
export const METRICS_PATH = '/minio/v2/metrics/cluster';

/** Expiry of tokens: the year 2100. A fixed time gives a secret key one token. A token ends with its secret key. */
const EXPIRY_SECONDS = 4_102_444_800;

/**
 * Permits the metrics and nothing else. The denied operations are those that MinIO permits every user for that user. `admin:*` would
 * deny the metrics as well.
 */
export const metricsPolicy: Policy = {
  Version: '2012-10-17',
  Statement: [
    { Effect: 'Allow', Action: ['admin:Prometheus'] },
    {
      Effect: 'Deny',
      Action: ['admin:CreateServiceAccount', 'admin:CreateUser', 'admin:GetUser', 'admin:ListServiceAccounts', 'admin:ListUsers'],
    },
  ],
};

/** Returns the bearer token that MinIO expects for its metrics, like `mc admin prometheus generate`. */
export function metricsToken(secretKey: string, user = METRICS_ROLE): string {
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const content = [
    { alg: 'HS512', typ: 'JWT' },
    { iss: 'prometheus', sub: user, exp: EXPIRY_SECONDS },
  ]
    .map(encode)
    .join('.');
  return `${content}.${createHmac('sha512', secretKey).update(content).digest('base64url')}`;
}
