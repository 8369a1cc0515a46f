/** A server or client program that FAVE runs on, pinned. */
export interface ServerProgram {
  readonly name: string;
  /** Package that `go install` builds. */
  readonly package: string;
  readonly version: string;
  /** Module in the project to build from, where `go install …@version` cannot: `natscli`'s version list does not resolve without its go.sum. */
  readonly module?: string;
  /** The oldest release of a binary on PATH that is used instead. */
  readonly atLeast: string;
  /** Compatible program that is used instead if it is on PATH. */
  readonly replacement?: string;
  /** Whether the build needs a C compiler. */
  readonly cgo?: boolean;
}

/**
 * The pinned programs. Each is built by itself, never several in one module: their dependency versions would mix.
 * MinIO's last community commit and the last public `mc` commit; images and binaries of them are no longer published.
 */
export const serverPrograms = {
  // 2.12: what was measured (sync_interval, interest retention with discard new).
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
 * Returns whether the output of `--version` fits: the same major version or scheme, and not older than `atLeast`.
 * The output of another program, or of a build without a release (`DEVELOPMENT.GOGET`), does not fit.
 */
export function versionFits(output: string, atLeast: string): boolean {
  if (atLeast.startsWith('RELEASE.')) {
    const found = /RELEASE\.\d{4}-\d\d-\d\d/.exec(output)?.[0];
    return found !== undefined && found >= atLeast;
  }
  const found = /\bv?(\d+)\.(\d+)\.(\d+)\b/.exec(output);
  const least = /^v(\d+)\.(\d+)\.(\d+)$/.exec(atLeast);
  if (!found || !least) return false;
  const [major = 0, minor = 0, patch = 0] = found.slice(1).map(Number);
  const [leastMajor = 0, leastMinor = 0, leastPatch = 0] = least.slice(1).map(Number);
  return major === leastMajor && (minor > leastMinor || (minor === leastMinor && patch >= leastPatch));
}
