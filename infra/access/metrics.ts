import { createHmac } from 'node:crypto';

/** Role of the scraper of the store's metrics. */
export const METRICS_ROLE = 'metrics';

/** Path of the store's metrics. */
export const METRICS_PATH = '/minio/v2/metrics/cluster';

/** Expiry of tokens: the year 2100. A fixed time gives a secret key one token. A token ends with its secret key. */
const EXPIRY_SECONDS = 4_102_444_800;

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
