import type { IJob } from 'kubernetes-models/batch/v1/Job';
import { ENVIRONMENT, images, labels, NAMESPACE, secretOf } from './names.ts';
import { podTemplate, resources } from './pod.ts';

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
        tmp: '64Mi',
        grace: 30,
        container: {
          image: images.setUp,
          args: ['--secrets', ROLES],
          envFrom: [{ configMapRef: { name: ENVIRONMENT } }, { secretRef: { name: secretOf(SET_UP) } }],
          volumeMounts: [{ name: ROLES_VOLUME, mountPath: ROLES, readOnly: true }],
          // One mc a role, all at once, 50 MB each: in less memory they only page each other out.
          resources: resources({ request: '50m', limit: '2' }, 1024),
        },
        more: { restartPolicy: 'OnFailure', volumes: [{ name: ROLES_VOLUME, secret: { secretName: secretOf('roles') } }] },
      }),
    },
  };
}
