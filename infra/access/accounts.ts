import type { SubjectPermissions } from './permissions.ts';

/** Account of the administrator, which holds the streams. */
export const BUS_ACCOUNT = 'FAVE';

/** User of {@link BUS_ACCOUNT}. */
const ADMINISTRATOR = 'admin';

/** API subject that states the use of JetStream by the account. */
const ACCOUNT_INFO = '$JS.API.INFO';

/** A user with a password in the configuration of NATS. */
interface NatsUser {
  readonly user: string;
  readonly password: string | undefined;
  readonly permissions: {
    readonly publish: { readonly allow: readonly string[] };
    readonly subscribe: { readonly allow: readonly string[] };
  };
}

/**
 * Returns the accounts of NATS: one for the streams and one per role. A role reaches the subjects for which it has permissions through
 * imports. In a common account, permissions would not suffice: the server publishes replies without them, so a role could pull a
 * message that it has published before to any subject, as the reply subject of its request. An import delivers replies only within the
 * account of the role.
 * @param passwords Passwords by user.
 */
export function busAccounts(
  users: Readonly<Record<string, SubjectPermissions>>,
  passwords: Readonly<Record<string, string>>,
): Record<string, object> {
  const natsUser = (user: string, { publish, subscribe }: SubjectPermissions): NatsUser => ({
    user,
    password: passwords[user],
    permissions: { publish: { allow: publish }, subscribe: { allow: subscribe } },
  });
  const roles = Object.entries(users).filter(([user]) => user !== ADMINISTRATOR);
  const exported = { service: new Map<string, string[]>(), stream: new Map<string, string[]>() };
  const importsOf = (role: string, type: 'service' | 'stream', subjects: readonly string[]): object[] =>
    subjects.map((subject) => {
      exported[type].set(subject, [...(exported[type].get(subject) ?? []), role]);
      return { [type]: { account: BUS_ACCOUNT, subject } };
    });
  const accounts = roles.map(([role, permissions]): [string, object] => [
    role,
    {
      users: [natsUser(role, permissions)],
      imports: [
        // Without this import, NATS answers with the JetStream API of the role's account, which has no streams.
        ...importsOf(role, 'service', [...new Set([ACCOUNT_INFO, ...permissions.publish])]),
        ...importsOf(
          role,
          'stream',
          permissions.subscribe.filter((subject) => !subject.startsWith('_INBOX')),
        ),
      ],
    },
  ]);
  const administrator = users[ADMINISTRATOR];
  return {
    [BUS_ACCOUNT]: {
      jetstream: 'enabled',
      users: administrator ? [natsUser(ADMINISTRATOR, administrator)] : [],
      exports: [
        // A pull and a read of several messages have several replies.
        ...[...exported.service].map(([service, roles]) => ({ service, accounts: roles, response_type: 'stream' })),
        ...[...exported.stream].map(([stream, roles]) => ({ stream, accounts: roles })),
      ],
    },
    ...Object.fromEntries(accounts),
  };
}
