import type { IJob } from 'kubernetes-models/batch/v1/Job';
import { ENVIRONMENT, images, labels, NAMESPACE, secretOf } from './names.ts';
import { podTemplate } from './pod.ts';

/** Where the passwords of all roles are, which it sets. */
const ROLES = '/run/secrets/fave';

export const ROLES_VOLUME = 'roles';

/** Name of the Job and of its role. */
export const SET_UP = 'set-up';

/**
 * Makes streams, consumers, the bucket and the roles' access keys, once both servers answer: the autoscaler needs the consumers,
 * and services wait for them by being restarted. A Job cannot be changed, so it goes after ten minutes and `kubectl apply` makes
 * it anew; a second run changes nothing.
 */
export function setUpJob(): IJob {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: SET_UP, namespace: NAMESPACE, labels: labels(SET_UP, 'set-up') },
    spec: {
      backoffLimit: 20,
      ttlSecondsAfterFinished: 600,
      template: podTemplate({
        name: SET_UP,
        component: 'set-up',
        // Memory: one mc a role, all at once, 50 MB each; in less they only page each other out.
        size: { cpu: { request: 0.05, limit: 2 }, memoryMb: 1_024, tmpMb: 64 },
        grace: 30,
        container: {
          image: images.setUp,
          args: ['--secrets', ROLES],
          envFrom: [{ configMapRef: { name: ENVIRONMENT } }, { secretRef: { name: secretOf(SET_UP) } }],
          volumeMounts: [{ name: ROLES_VOLUME, mountPath: ROLES, readOnly: true }],
        },
        more: { restartPolicy: 'OnFailure', volumes: [{ name: ROLES_VOLUME, secret: { secretName: secretOf('roles') } }] },
      }),
    },
  };
}
