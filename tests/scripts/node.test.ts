import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { root } from '../../infra/process/paths.ts';

const run = promisify(execFile);

/** Sources scripts/node.sh on a machine with the given `node` and `npm` and runs a command after it. */
async function afterNodeSh(programs: Readonly<Record<string, string>>, command: string) {
  const dir = await mkdtemp(join(tmpdir(), 'fave-node-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  for (const [name, script] of Object.entries(programs)) {
    await writeFile(join(dir, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(dir, name), 0o755);
  }
  const env = { PATH: `${dir}:/usr/bin:/bin`, XDG_CACHE_HOME: join(dir, 'cache') };
  const source = `set -eu; . '${join(root, 'scripts', 'node.sh')}'; ${command}`;
  return { dir, ...(await run('sh', ['-c', source], { env })) };
}

describe('node.sh', () => {
  it.each(['v22.18.0', 'v22.23.3', 'v24.0.0', 'v26.1.2'])('uses Node.js %s', async (version) => {
    expect((await afterNodeSh({ node: `echo ${version}` }, 'echo "$node"')).stdout).toBe('node\n');
  });

  it.each(['v18.20.0', 'v20.20.2', 'v22.17.1', 'v23.11.0', ''])('uses the pinned Node.js instead of "%s"', async (version) => {
    const { dir, stdout } = await afterNodeSh({ node: `echo ${version}` }, 'echo "$node"');
    expect(stdout).toMatch(/\/cache\/fave\/node-22\.\d+\.\d+\/bin\/node\n$/);
    expect(stdout).toContain(dir);
  });

  it('refuses a download with another hash and leaves nothing', async () => {
    const npm = 'while [ "$1" != --pack-destination ]; do shift; done; echo other > "$2/$(echo "$3" | tr @ -).tgz"';
    const fetched = afterNodeSh({ node: 'echo v20.20.2', npm }, 'fetch_node');
    await expect(fetched).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^Node\.js v20\.20\.2 is older than 22\.18: downloading .*\n.* does not have the expected hash/,
      ),
    });
    const [dir = ''] = (await readdir(tmpdir())).filter((name) => name.startsWith('fave-node-'));
    expect(await readdir(join(tmpdir(), dir, 'cache', 'fave'))).toEqual([]);
  });
});
