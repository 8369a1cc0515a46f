import type { StoreRequest } from './store-client.ts';

/** Permission that an operation on an object needs; no role has `other`. */
type Access = 'read' | 'write' | 'remove' | 'abort' | 'other';

/** An operation on one object. */
export interface ObjectOperation {
  readonly name: string;
  readonly access: Access;
  readonly request: Omit<StoreRequest, 'path'>;
}

const operation = (
  name: string,
  access: Access,
  method: string,
  rest: Omit<StoreRequest, 'path' | 'method'> = {},
): ObjectOperation => ({
  name,
  access,
  request: { method, ...rest },
});

const VERSION = '11111111-2222-3333-4444-555555555555';
const UPLOAD = 'bm8tc3VjaC11cGxvYWQ';
const tagging = '<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>';

/**
 * Operations of the S3 API on one object, which exists. Uploads need not exist: the store checks permissions first. The store rejects
 * retention in a bucket without object lock for every user.
 */
export const objectOperations: readonly ObjectOperation[] = [
  operation('GetObject', 'read', 'GET'),
  operation('HeadObject', 'read', 'HEAD'),
  operation('GetObject of a version', 'read', 'GET', { query: { versionId: VERSION } }),
  operation('PutObject', 'write', 'PUT', { body: 'x' }),
  operation('CreateMultipartUpload', 'write', 'POST', { query: { uploads: '' } }),
  operation('UploadPart', 'write', 'PUT', { query: { partNumber: '1', uploadId: UPLOAD }, body: 'x' }),
  operation('CompleteMultipartUpload', 'write', 'POST', {
    query: { uploadId: UPLOAD },
    body: '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>',
  }),
  operation('DeleteObject', 'remove', 'DELETE'),
  operation('DeleteObject of a version', 'remove', 'DELETE', { query: { versionId: VERSION } }),
  operation('AbortMultipartUpload', 'abort', 'DELETE', { query: { uploadId: UPLOAD } }),
  operation('ListParts', 'other', 'GET', { query: { uploadId: UPLOAD } }),
  operation('GetObjectAttributes', 'other', 'GET', { query: { attributes: '' }, headers: { 'x-amz-object-attributes': 'ETag' } }),
  operation('GetObjectTagging', 'other', 'GET', { query: { tagging: '' } }),
  operation('PutObjectTagging', 'other', 'PUT', { query: { tagging: '' }, body: tagging }),
  operation('DeleteObjectTagging', 'other', 'DELETE', { query: { tagging: '' } }),
  operation('PutObject with tags', 'write', 'PUT', { headers: { 'x-amz-tagging': 'a=b' }, body: 'x' }),
  operation('GetObjectRetention', 'other', 'GET', { query: { retention: '' } }),
  operation('GetObjectLegalHold', 'other', 'GET', { query: { 'legal-hold': '' } }),
  operation('PutObjectLegalHold', 'other', 'PUT', {
    query: { 'legal-hold': '' },
    body: '<LegalHold><Status>ON</Status></LegalHold>',
  }),
  operation('GetObjectAcl', 'other', 'GET', { query: { acl: '' } }),
  operation('PutObjectAcl', 'other', 'PUT', { query: { acl: '' }, headers: { 'x-amz-acl': 'private' } }),
  operation('RestoreObject', 'other', 'POST', {
    query: { restore: '' },
    body: '<RestoreRequest><Days>1</Days></RestoreRequest>',
  }),
];

/** Operations of the S3 API on the bucket. `list` is the permission to list it. */
export const bucketOperations: readonly {
  readonly name: string;
  readonly access: 'list' | 'other';
  readonly request: Omit<StoreRequest, 'path'>;
}[] = [
  { name: 'ListObjects', access: 'list', request: { method: 'GET' } },
  { name: 'ListObjectsV2', access: 'list', request: { method: 'GET', query: { 'list-type': '2' } } },
  { name: 'HeadBucket', access: 'list', request: { method: 'HEAD' } },
  { name: 'ListObjectVersions', access: 'list', request: { method: 'GET', query: { versions: '' } } },
  { name: 'ListMultipartUploads', access: 'other', request: { method: 'GET', query: { uploads: '' } } },
  { name: 'GetBucketLocation', access: 'other', request: { method: 'GET', query: { location: '' } } },
  { name: 'ListenNotification', access: 'other', request: { method: 'GET', query: { events: 's3:ObjectCreated:*' } } },
  ...[
    'policy',
    'policyStatus',
    'lifecycle',
    'encryption',
    'object-lock',
    'replication',
    'versioning',
    'notification',
    'tagging',
    'acl',
  ].map((name) => ({ name: `GET ${name}`, access: 'other' as const, request: { method: 'GET', query: { [name]: '' } } })),
  ...Object.entries({
    policy: '{"Version":"2012-10-17","Statement":[]}',
    lifecycle: '<LifecycleConfiguration/>',
    encryption: '<ServerSideEncryptionConfiguration/>',
    'object-lock': '<ObjectLockConfiguration/>',
    replication: '<ReplicationConfiguration/>',
    versioning: '<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>',
    notification: '<NotificationConfiguration/>',
    tagging,
  }).map(([name, body]) => ({
    name: `PUT ${name}`,
    access: 'other' as const,
    request: { method: 'PUT', query: { [name]: '' }, body },
  })),
  ...['policy', 'lifecycle', 'encryption', 'replication', 'tagging'].map((name) => ({
    name: `DELETE ${name}`,
    access: 'other' as const,
    request: { method: 'DELETE', query: { [name]: '' } },
  })),
  { name: 'DeleteBucket', access: 'other', request: { method: 'DELETE' } },
  {
    name: 'DeleteBucket with its objects',
    access: 'other',
    request: { method: 'DELETE', headers: { 'x-minio-force-delete': 'true' } },
  },
];
