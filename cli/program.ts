import { Command, Option } from 'commander';
import { patterns } from '../loadgen/arrivals/load-plan.ts';
import { UsageError } from '../shared/core/errors.ts';
import { assertRequestId } from '../shared/pipeline/keys.ts';
import type { LoadCommandOptions } from './commands/instance/load.ts';
import type { DeadLetterOptions } from './commands/requests/dlq.ts';
import type { CliContext } from './context/cli.ts';

/**
 * Creates the commands and their options. The code of a command is imported when it runs, so that `--help` is fast.
 * @param onEnd Receives the exit code of the command. Errors of the command reject `parseAsync`.
 */
export function createProgram(cli: CliContext, onEnd: (exitCode: number) => void): Command {
  const program = new Command('fave')
    .description('Submit videos to FAVE, follow their analysis and operate an instance.')
    .option(
      '--data <dir>',
      'data directory of the instance (default: FAVE_DATA_DIR, or the nearest .fave at or above the working directory)',
    )
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        cli.stdout.write(text);
      },
      writeErr: (text) => {
        cli.stderr.write(text);
      },
    })
    .showHelpAfterError('(list commands with fave --help, options with fave help COMMAND)');
  const here = (): CliContext => ({
    ...cli,
    env: {
      ...cli.env,
      ...(program.opts<{ data?: string }>().data !== undefined && { FAVE_DATA_DIR: program.opts<{ data: string }>().data }),
    },
  });
  const run = async (exitCode: Promise<number>): Promise<void> => {
    onEnd(await exitCode);
  };

  addRequestCommands(program, here, run);
  addOperationCommands(program, here, run);
  addLoadCommand(program, here, run);
  addInstanceCommands(program, here, run);
  return program;
}

type Run = (exitCode: Promise<number>) => Promise<void>;

function addRequestCommands(program: Command, here: () => CliContext, run: Run): void {
  program
    .command('submit')
    .description('upload videos, each as a new request')
    .argument('<file...>', 'video files')
    .option('--id <id>', 'id of the request (default: a new UUID)', parseRequestId)
    .option('--query <words>', 'words to search for in the transcript; sets the option "query"')
    .option('--option <key=value>', 'option of the request, repeatable (list options with fave graph --json)', collect, [])
    .option('--wait', 'wait for the end and show progress; exit code 0: completed, 1: failed or rejected')
    .option('--json', 'print one JSON object per file as the last lines')
    .action((files: string[], options: { id?: string; query?: string; option: string[]; wait?: boolean; json?: boolean }) =>
      run(import('./commands/requests/submit.ts').then(({ submit }) => submit(here(), files, options))),
    );
  program
    .command('status')
    .description('show the progress and the errors of a request')
    .argument('<id>', 'request id', parseRequestId)
    .option('--json', 'print the state as JSON')
    .action((id: string, options: { json?: boolean }) =>
      run(import('./commands/requests/status.ts').then(({ status }) => status(here(), id, options))),
    );
  program
    .command('ls')
    .description('list requests, newest first')
    .option('--limit <n>', 'number of requests', whole('--limit'), 20)
    .option('--json', 'print JSON lines')
    .action((options: { limit: number; json?: boolean }) =>
      run(import('./commands/requests/ls.ts').then(({ ls }) => ls(here(), options))),
    );
  program
    .command('watch')
    .description('print the events of a request from its start, or new events of all requests, until Ctrl-C')
    .argument('[id]', 'request id', parseRequestId)
    .action((id: string | undefined) => run(import('./commands/requests/watch.ts').then(({ watch }) => watch(here(), id))));
  program
    .command('result')
    .description('print the speech and the objects in a video, with times')
    .argument('<id>', 'request id', parseRequestId)
    .option('--json', 'print the timeline as JSON')
    .option('--srt', 'print subtitles (SubRip)')
    .option('--vtt', 'print subtitles (WebVTT)')
    .action((id: string, options: { json?: boolean; srt?: boolean; vtt?: boolean }) =>
      run(import('./commands/results/result.ts').then(({ result }) => result(here(), id, options))),
    );
  program
    .command('get')
    .description('download all objects of a request')
    .argument('<id>', 'request id', parseRequestId)
    .argument('<dir>', 'directory for the files; created if missing')
    .action((id: string, dir: string) => run(import('./commands/results/get.ts').then(({ get }) => get(here(), id, dir))));
}

function addOperationCommands(program: Command, here: () => CliContext, run: Run): void {
  program
    .command('replay')
    .description('run a request again, reusing results that are still valid')
    .argument('<id>', 'request id', parseRequestId)
    .option('--from <stage>', 'start at this stage')
    .option('--only <stage>', 'run the items of this stage again, and later items whose source changed')
    .option('--force', 'ignore existing results of the stage and all later stages, or of all stages')
    .option('--dry-run', 'print the plan and its reasons without starting the run')
    .option('--wait', 'wait for the end and show progress; exit code 0: completed, 1: failed')
    .action((id: string, options: { from?: string; only?: string; force?: boolean; dryRun?: boolean; wait?: boolean }) =>
      run(import('./commands/requests/replay.ts').then(({ replay }) => replay(here(), id, options))),
    );
  program
    .command('cancel')
    .description('cancel a request: abort its running items and skip its queued ones')
    .argument('<id>', 'request id', parseRequestId)
    .option('--reason <sentence>', 'reason, stored in the state of the request')
    .action((id: string, options: { reason?: string }) =>
      run(import('./commands/requests/cancel.ts').then(({ cancel }) => cancel(here(), id, options))),
    );
  program
    .command('sweep')
    .description('re-announce objects of open requests whose notification was lost')
    .argument('[id]', 'request id', parseRequestId)
    .option('--dry-run', 'print the objects without announcing them')
    .action((id: string | undefined, options: { dryRun?: boolean }) =>
      run(import('./commands/requests/sweep.ts').then(({ sweep }) => sweep(here(), id, options))),
    );
  program
    .command('provenance')
    .description('show the stages, tools and sources of an artifact, back to the input')
    .argument('<uri>', 's3://bucket/key, a key, or a request id')
    .argument('[path]', 'path below the request, after a request id')
    .option('--json', 'print JSON')
    .action((uri: string, path: string | undefined, options: { json?: boolean }) =>
      run(import('./commands/results/provenance.ts').then(({ provenance }) => provenance(here(), uri, path, options))),
    );
  addDeadLetterCommands(program, here, run);
}

function addDeadLetterCommands(program: Command, here: () => CliContext, run: Run): void {
  const dlq = program.command('dlq').description('list, redrive and delete dead letters of failed items');
  const command = (name: string, description: string): Command =>
    dlq
      .command(name)
      .description(description)
      .option('--stage <stage>', 'only dead letters of this stage')
      .option('--id <id>', 'only dead letters of this request', parseRequestId);
  command('ls', 'list dead letters')
    .option('--json', 'print JSON lines')
    .action((options: DeadLetterOptions) =>
      run(import('./commands/requests/dlq.ts').then(({ listDeadLetters }) => listDeadLetters(here(), options))),
    );
  command('show', 'show dead letters in full')
    .argument('[seq...]')
    .option('--json', 'print JSON lines')
    .action((seqs: string[], options: DeadLetterOptions) =>
      run(import('./commands/requests/dlq.ts').then(({ showDeadLetters }) => showDeadLetters(here(), seqs, options))),
    );
  command('redrive', 'send items to their stages again')
    .argument('[seq...]')
    .option('--all', 'all dead letters')
    .action((seqs: string[], options: DeadLetterOptions) =>
      run(import('./commands/requests/dlq.ts').then(({ redriveDeadLetters }) => redriveDeadLetters(here(), seqs, options))),
    );
  command('drop', 'delete dead letters')
    .argument('[seq...]')
    .option('--all', 'all dead letters')
    .action((seqs: string[], options: DeadLetterOptions) =>
      run(import('./commands/requests/dlq.ts').then(({ dropDeadLetters }) => dropDeadLetters(here(), seqs, options))),
    );
}

function addLoadCommand(program: Command, here: () => CliContext, run: Run): void {
  program
    .command('load')
    .description('upload videos at a rate and record the outcome of each request (docs/study.md)')
    .addOption(new Option('--pattern <name>', 'arrival pattern').choices(patterns).default('steady'))
    .option('--rate <n>', 'average requests per second (default: 0.1)', above0('--rate'))
    .option('--duration <seconds>', 'duration of arrivals, in seconds (default: 60, or the whole trace)', above0('--duration'))
    .option('--burst-size <n>', 'bursty: requests per burst (default: 5)', whole('--burst-size'))
    .option('--burst-period <seconds>', 'bursty: time between bursts, in seconds, instead of --rate', above0('--burst-period'))
    .option('--trace <file>', 'trace: CSV file with the columns time,rps')
    .option('--closed', 'closed loop: users that wait for each request to end before the next')
    .option('--concurrency <n>', 'closed: number of users (default: 1)', whole('--concurrency'))
    .option('--think-time <seconds>', 'closed: pause before the next request, in seconds (default: 0)', from0('--think-time'))
    .option('--video <file[=weight]>', 'video to upload, repeatable; several are mixed by weight', collect, [])
    .option('--option <key=value>', 'option of each request, repeatable', collect, [])
    .option('--memo', 'allow results from the memo; off for measurements')
    .option('--seed <n>', 'seed of arrivals and mix; the same seed gives the same load', from0('--seed'), 1)
    .option('--regime <label>', 'label, recorded in load.json')
    .option('--out <dir>', 'new directory for the record (default: loads/PATTERN-TIME)')
    .option('--wait <seconds>', 'maximum wait for the last requests, in seconds', from0('--wait'), 300)
    .addOption(
      new Option('--target <name>', 'null and stalling run in this process, to test the load generator')
        .choices(['fave', 'null', 'stalling'])
        .default('fave'),
    )
    .option('--json', 'print the summary as JSON')
    .action((options: LoadCommandOptions) =>
      run(import('./commands/instance/load.ts').then(({ load }) => load(here(), options))),
    );
}

function addInstanceCommands(program: Command, here: () => CliContext, run: Run): void {
  program
    .command('env')
    .description('print variables that give a shell access, and fave, mc and nats on PATH: eval "$(./fave env)"')
    .option('--json', 'print JSON')
    .action((options: { json?: boolean }) => run(import('./commands/instance/env.ts').then(({ env }) => env(here(), options))));
  program
    .command('graph')
    .description('print the pipeline as a Mermaid diagram')
    .option('--json', 'print stages, kinds and options as JSON')
    .action((options: { json?: boolean }) =>
      run(import('./commands/instance/graph.ts').then(({ printGraph }) => printGraph(here(), options))),
    );
  program
    .command('doctor')
    .description('check tools, servers, bucket rules, streams, consumers and services')
    .option('--json', 'print JSON')
    .action((options: { json?: boolean }) =>
      run(import('./commands/instance/doctor.ts').then(({ doctor }) => doctor(here(), options))),
    );
  program
    .command('demo')
    .description('start an instance if necessary, analyse a video and print the result')
    .argument('[video]', 'video file (default: a generated sample)')
    .option('--port-base <n>', 'first of four ports for a new instance')
    .action((video: string | undefined, options: { portBase?: string }) =>
      run(import('./commands/instance/demo.ts').then(({ demo }) => demo(here(), video, options))),
    );
  program
    .command('down')
    .description('stop the instance; its data is kept')
    .action(() => run(import('./commands/instance/down.ts').then(({ down }) => down(here()))));
  const models = program
    .command('models')
    .description('manage the models of Whisper, in the cache and the directories of FAVE_MODELS');
  models
    .command('ls')
    .description('list installed and available models; * marks the model in use')
    .option('--json', 'print JSON')
    .action((options: { json?: boolean }) =>
      run(import('./commands/instance/models.ts').then(({ listModels }) => listModels(here(), options))),
    );
  models
    .command('pull')
    .description('download models into the cache and verify their digests; an interrupted download continues')
    .argument('<name...>')
    .action((names: string[]) => run(import('./commands/instance/models.ts').then(({ pull }) => pull(here(), names))));
  models
    .command('rm')
    .description('delete models from the cache')
    .argument('<name...>')
    .option('--force', 'also delete the model that the running instance uses')
    .action((names: string[], options: { force?: boolean }) =>
      run(import('./commands/instance/models.ts').then(({ removeModels }) => removeModels(here(), names, options))),
    );
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

/** Returns the id. @throws UsageError for an invalid request id. */
function parseRequestId(text: string): string {
  assertRequestId(text);
  return text;
}

/** Creates a parser for a number option. */
function number(option: string, rule: string, isValid: (value: number) => boolean): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? NaN : Number(text);
    if (!Number.isFinite(value) || !isValid(value)) throw new UsageError(`${option} must be ${rule}, not "${text}"`);
    return value;
  };
}

const whole = (option: string) => number(option, 'a whole number of at least 1', (n) => Number.isInteger(n) && n >= 1);
const above0 = (option: string) => number(option, 'a number above 0', (n) => n > 0);
const from0 = (option: string) => number(option, 'a number of at least 0', (n) => n >= 0);
