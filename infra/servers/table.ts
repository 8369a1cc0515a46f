/** A server or client program that FAVE uses, in a pinned version. */
export interface ServerProgram {
  readonly name: string;
  /** Package that `go install` builds. */
  readonly package: string;
  readonly version: string;
  /** Directory of a Go module in this project that builds the program, if `go install …@version` fails. `natscli` needs its go.sum. */
  readonly module?: string;
  /** Oldest acceptable release of a binary on PATH, which is used instead of a build. */
  readonly atLeast: string;
  /** Compatible program that takes precedence if it is on PATH. */
  readonly replacement?: string;
  /** Whether the build needs a C compiler. */
  readonly cgo?: boolean;
}

/**
 * Pinned programs. Each is built in a separate module, because a common module would mix the versions of their dependencies.
 * `minio` and `mc` are the last public commits; images and binaries of them are no longer published.
 */
export const serverPrograms = {
  // The behaviour of sync_interval, and of interest retention with discard `new`, was measured with 2.12.
  natsServer: { name: 'nats-server', package: 'github.com/nats-io/nats-server/v2', version: 'v2.12.3', atLeast: 'v2.12.0' },
  // The release of October 2025 fixes CVE-2025-62506.
  minio: {
    name: 'minio',
    package: 'github.com/minio/minio',
    version: 'v0.0.0-20260212201848-7aac2a2c5b7c',
    atLeast: 'RELEASE.2025-10-15',
    // The maintained fork (pgsty/silo), with the same interface, data format and version scheme.
    replacement: 'silo',
  },
  mc: {
    name: 'mc',
    package: 'github.com/minio/mc',
    version: 'v0.0.0-20250313080218-cf909e1063a9',
    atLeast: 'RELEASE.2025-03-12',
  },
  nats: {
    name: 'nats',
    package: 'github.com/nats-io/natscli/nats',
    version: 'v0.3.0',
    module: 'infra/servers/natscli',
    atLeast: 'v0.3.0',
  },
} as const satisfies Record<string, ServerProgram>;

/**
 * Returns whether the output of `--version` has the version scheme and major version of `atLeast` and is not older. The result is
 * false for the output of another program or of a build without a release (`DEVELOPMENT.GOGET`).
 */
export function versionFits(output: string, atLeast: string): boolean {
  if (atLeast.startsWith('RELEASE.')) {
    const release = /RELEASE\.\d{4}-\d\d-\d\d/.exec(output)?.[0];
    return release !== undefined && release >= atLeast;
  }
  const version = /\bv?(\d+)\.(\d+)\.(\d+)\b/.exec(output);
  const minimum = /^v(\d+)\.(\d+)\.(\d+)$/.exec(atLeast);
  if (!version || !minimum) return false;
  const [major = 0, minor = 0, patch = 0] = version.slice(1).map(Number);
  const [minMajor = 0, minMinor = 0, minPatch = 0] = minimum.slice(1).map(Number);
  return major === minMajor && (minor > minMinor || (minor === minMinor && patch >= minPatch));
}
