import { describe, expect, it } from 'vitest';
import { computePartSize } from '../../../shared/store/s3/multipart-upload.ts';
import { parseElement } from '../../../shared/store/s3/response.ts';
import { encodePath, encodeQuery, signRequest } from '../../../shared/store/s3/sign.ts';
import { computeSha256 } from '../../../shared/store/store.ts';

describe('signRequest', () => {
  // Examples of https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
  it.each([
    [{ lifecycle: '' }, 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'],
    [{ prefix: 'J', 'max-keys': '2' }, '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'],
  ])('signs GET %j as in the documentation of AWS', (query, signature) => {
    const headers = signRequest(
      {
        method: 'GET',
        path: '/',
        query: encodeQuery(query),
        headers: { host: 'examplebucket.s3.amazonaws.com' },
        sha256: computeSha256(''),
      },
      { accessKey: 'AKIAIOSFODNN7EXAMPLE', secretKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', region: 'us-east-1' },
      new Date('2013-05-24T00:00:00Z'),
    );
    expect(headers['authorization']).toBe(
      `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=${signature}`,
    );
  });
});

describe('encodePath', () => {
  it('encodes every reserved character but the slash', () => {
    expect(encodePath("a b/ž!'()*~")).toBe('a%20b/%C5%BE%21%27%28%29%2A~');
  });
});

describe('parseElement', () => {
  it('decodes entities and returns undefined for a missing element', () => {
    expect(parseElement('<A><ETag>&#34;x&quot;</ETag><Key>a&amp;lt;</Key></A>', 'ETag')).toBe('"x"');
    expect(parseElement('<Key>a&amp;lt;</Key>', 'Key')).toBe('a&lt;');
    expect(parseElement('<Key>a</Key>', 'ETag')).toBeUndefined();
  });
});

describe('computePartSize', () => {
  it('keeps the smallest part for files of ordinary size and at most 10 000 parts for larger ones', () => {
    expect(computePartSize(1)).toBe(16 * 1024 ** 2);
    const fiveTerabytes = 5 * 1024 ** 4;
    expect(Math.ceil(fiveTerabytes / computePartSize(fiveTerabytes))).toBeLessThanOrEqual(10_000);
  });
});
