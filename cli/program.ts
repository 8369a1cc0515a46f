import { Command, Option } from 'commander';
import { patterns } from '../loadgen/arrivals/load-plan.ts';
import type { CliContext } from './context/cli.ts';
import type { DeadLetterOptions } from './commands/requests/dlq.ts';
import type { LoadCommandOptions } from './commands/instance/load.ts';
import { UsageError } from '../shared/core/errors.ts';

/** What a command ends with. */
export type ExitCode = number;

/**
 * The commands and their options. Each command's code is loaded only when it runs, so that `--help` is quick.
 * @param ended Called with the command's exit code; what it throws is for {@link exitCodeOf}.
 */
export function createProgram(cli: CliContext, ended: (code: ExitCode) => void): Command {
  const program = new Command('fave')
    .description('FAVE finds what is said and shown in videos.')
    .option('--data <dir>', 'data directory of the instance (default: .fave here or above, or FAVE_DATA_DIR)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        cli.stdout.write(text);
      },
      writeErr: (text) => {
        cli.stderr.write(text);
      },
    })
    .showHelpAfterError('(fave --help lists the commands, fave help COMMAND their options)');
  const here = (): CliContext => ({
    ...cli,
    env: {
      ...cli.env,
      ...(program.opts<{ data?: string }>().data !== undefined && { FAVE_DATA_DIR: program.opts<{ data: string }>().data }),
    },
  });
  const run = async (code: Promise<ExitCode>): Promise<void> => {
    ended(await code);
  };

  addRequestCommands(program, here, run);
  addOperations(program, here, run);
  addLoadCommand(program, here, run);
  addInstanceCommands(program, here, run);
  return program;
}

type Run = (code: Promise<ExitCode>) => Promise<void>;

function addRequestCommands(program: Command, here: () => CliContext, run: Run): void {
  program
    .command('submit')
    .description('upload videos; each becomes a request')
    .argument('<file...>', 'video files')
    .option('--id <id>', 'id of the request (default: a new UUID)')
    .option('--query <words>', 'what to look for: sets the option "query"')
    .option('--option <key=value>', 'option of the request; may be repeated (fave graph --json lists them)', collect, [])
    .option('--wait', 'wait for the end, with progress; exit code 0: completed, 1: failed or rejected')
    .option('--json', 'print one JSON object a file, as the last lines')
    .action((files: string[], options: { id?: string; query?: string; option: string[]; wait?: boolean; json?: boolean }) =>
      run(import('./commands/requests/submit.ts').then(({ submit }) => submit(here(), files, options))),
    );
  program
    .command('status')
    .description('how far a request is, and what failed')
    .argument('<id>')
    .option('--json', 'print the state as JSON')
    .action((id: string, options: { json?: boolean }) =>
      run(import('./commands/requests/status.ts').then(({ status }) => status(here(), id, options))),
    );
  program
    .command('ls')
    .description('requests, newest first')
    .option('--limit <n>', 'how many', whole('--limit'), 20)
    .option('--json', 'print JSON lines')
    .action((options: { limit: number; json?: boolean }) =>
      run(import('./commands/requests/ls.ts').then(({ ls }) => ls(here(), options))),
    );
  program
    .command('watch')
    .description('follow what happens, of one request from its beginning or of all from now on, until Ctrl-C')
    .argument('[id]')
    .action((id: string | undefined) => run(import('./commands/requests/watch.ts').then(({ watch }) => watch(here(), id))));
  program
    .command('result')
    .description('what is said and seen in a video, and when')
    .argument('<id>')
    .option('--json', 'print the timeline as JSON')
    .option('--srt', 'print subtitles (SubRip)')
    .option('--vtt', 'print subtitles (WebVTT)')
    .action((id: string, options: { json?: boolean; srt?: boolean; vtt?: boolean }) =>
      run(import('./commands/results/result.ts').then(({ result }) => result(here(), id, options))),
    );
  program
    .command('get')
    .description('download everything that a request made')
    .argument('<id>')
    .argument('<dir>', 'directory that gets the files; it is made when it is missing')
    .action((id: string, dir: string) => run(import('./commands/results/get.ts').then(({ get }) => get(here(), id, dir))));
}

function addOperations(program: Command, here: () => CliContext, run: Run): void {
  program
    .command('replay')
    .description('run a request again: what is valid passes, all else is made again')
    .argument('<id>')
    .option('--from <stage>', 'begin with what this stage takes')
    .option('--only <stage>', 'make the items of this stage again')
    .option('--force', 'trust nothing that was made: of the stage and of all after it, or of all')
    .option('--dry-run', 'print what would be done, and why')
    .option('--wait', 'wait for the end, with progress; exit code 0: completed, 1: failed')
    .action((id: string, options: { from?: string; only?: string; force?: boolean; dryRun?: boolean; wait?: boolean }) =>
      run(import('./commands/requests/replay.ts').then(({ replay }) => replay(here(), id, options))),
    );
  program
    .command('cancel')
    .description('end a request: running work is stopped, queued work dropped')
    .argument('<id>')
    .option('--reason <sentence>', 'why, for the state of the request')
    .action((id: string, options: { reason?: string }) =>
      run(import('./commands/requests/cancel.ts').then(({ cancel }) => cancel(here(), id, options))),
    );
  program
    .command('sweep')
    .description('take up what landed in open requests and nobody heard of')
    .argument('[id]')
    .option('--dry-run', 'print what would be taken up')
    .action((id: string | undefined, options: { dryRun?: boolean }) =>
      run(import('./commands/requests/sweep.ts').then(({ sweep }) => sweep(here(), id, options))),
    );
  program
    .command('provenance')
    .description('how an artifact came to be: stages, tools and sources back to the input')
    .argument('<uri>', 's3://bucket/key, a key, or the id of a request')
    .argument('[path]', 'below the request, where the first is an id')
    .option('--json', 'print JSON')
    .action((uri: string, path: string | undefined, options: { json?: boolean }) =>
      run(import('./commands/results/provenance.ts').then(({ provenance }) => provenance(here(), uri, path, options))),
    );
  addDeadLetterCommands(program, here, run);
}

function addDeadLetterCommands(program: Command, here: () => CliContext, run: Run): void {
  const dlq = program.command('dlq').description('dead letters: items that failed for good');
  const command = (name: string, description: string): Command =>
    dlq
      .command(name)
      .description(description)
      .option('--stage <stage>', 'only those of a stage')
      .option('--id <id>', 'only those of a request');
  command('ls', 'list dead letters')
    .option('--json', 'print JSON lines')
    .action((options: DeadLetterOptions) =>
      run(import('./commands/requests/dlq.ts').then(({ listDeadLetters }) => listDeadLetters(here(), options))),
    );
  command('show', 'print all that dead letters say')
    .argument('[seq...]')
    .option('--json', 'print JSON lines')
    .action((seqs: string[], options: DeadLetterOptions) =>
      run(import('./commands/requests/dlq.ts').then(({ showDeadLetters }) => showDeadLetters(here(), seqs, options))),
    );
  command('redrive', 'give the items to their stages again')
    .argument('[seq...]')
    .option('--all', 'all dead letters')
    .action((seqs: string[], options: DeadLetterOptions) =>
      run(import('./commands/requests/dlq.ts').then(({ redriveDeadLetters }) => redriveDeadLetters(here(), seqs, options))),
    );
  command('drop', 'remove dead letters')
    .argument('[seq...]')
    .option('--all', 'all dead letters')
    .action((seqs: string[], options: DeadLetterOptions) =>
      run(import('./commands/requests/dlq.ts').then(({ dropDeadLetters }) => dropDeadLetters(here(), seqs, options))),
    );
}

function addLoadCommand(program: Command, here: () => CliContext, run: Run): void {
  program
    .command('load')
    .description('upload videos at a rate and record what becomes of each (docs/study.md)')
    .addOption(new Option('--pattern <name>', 'when requests arrive').choices(patterns).default('steady'))
    .option('--rate <n>', 'requests a second, on average (default: 0.1)', above0('--rate'))
    .option('--duration <seconds>', 'how long requests arrive (default: 60, or all of the trace)', above0('--duration'))
    .option('--burst-size <n>', 'bursty: requests at once (default: 5)', whole('--burst-size'))
    .option('--burst-period <seconds>', 'bursty: from burst to burst, instead of --rate', above0('--burst-period'))
    .option('--trace <file>', 'trace: CSV, time,rps')
    .option('--closed', 'users who wait for each answer, instead of arrivals at their times')
    .option('--concurrency <n>', 'closed: how many users (default: 1)', whole('--concurrency'))
    .option('--think-time <seconds>', 'closed: from an answer to the next request (default: 0)', from0('--think-time'))
    .option('--video <file[=weight]>', 'what is uploaded; may be repeated, to be mixed by weight', collect, [])
    .option('--option <key=value>', 'option of each request; may be repeated', collect, [])
    .option('--memo', 'let equal work be copied from earlier requests, which no measurement wants')
    .option('--seed <n>', 'of arrivals and of the mix: the same seed, the same load', from0('--seed'), 1)
    .option('--regime <label>', 'noted in load.json')
    .option('--out <dir>', 'a new directory for the record (default: loads/PATTERN-TIME)')
    .option('--wait <seconds>', 'how long the last requests are waited for', from0('--wait'), 300)
    .addOption(
      new Option('--target <name>', 'null and stalling are in this process, to try the tool')
        .choices(['fave', 'null', 'stalling'])
        .default('fave'),
    )
    .option('--json', 'print a summary as JSON')
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
    .description('the pipeline, as a Mermaid diagram')
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
    .description('show it all: start what is not running, analyse a video, print what is said and seen')
    .argument('[video]', 'a video file (default: a sample that is made on the spot)')
    .option('--port-base <n>', 'first of four ports, for an instance that is to be started')
    .action((video: string | undefined, options: { portBase?: string }) =>
      run(import('./commands/instance/demo.ts').then(({ demo }) => demo(here(), video, options))),
    );
  program
    .command('down')
    .description('stop the instance; its data stay')
    .action(() => run(import('./commands/instance/down.ts').then(({ down }) => down(here()))));
  const models = program.command('models').description('speech models for whisper');
  models
    .command('ls')
    .description('models that can be pulled')
    .option('--json', 'print JSON')
    .action((options: { json?: boolean }) =>
      run(import('./commands/instance/models.ts').then(({ listModels }) => listModels(here(), options))),
    );
  models
    .command('pull')
    .description('download a model and check it')
    .argument('<name>')
    .action((name: string) => run(import('./commands/instance/models.ts').then(({ pull }) => pull(here(), name))));
}

function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

/** A reader of numbers, for an option. */
function number(option: string, what: string, right: (value: number) => boolean): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? NaN : Number(text);
    if (!Number.isFinite(value) || !right(value)) throw new UsageError(`${option} must be ${what}, not "${text}"`);
    return value;
  };
}

const whole = (option: string) => number(option, 'a whole number of at least 1', (n) => Number.isInteger(n) && n >= 1);
const above0 = (option: string) => number(option, 'a number above 0', (n) => n > 0);
const from0 = (option: string) => number(option, 'a number of at least 0', (n) => n >= 0);
