/** `npm run analyse [-- experiments] [--out DIR]` */
import { Command } from 'commander';
import { FaveError } from '../shared/core/errors.ts';
import { analyse } from './analyse.ts';

const program = new Command('analyse')
  .description('Makes tables, figures and a report from recorded runs.')
  .argument('[experiments]', 'directory with recorded cells, at any depth', 'experiments')
  .option('--out <directory>', 'where to write', 'analysis/out')
  .action(async (experiments: string, { out }: { out: string }) => {
    const files = await analyse(experiments, out);
    process.stdout.write(`${files.length} files in ${out}; begin with ${out}/report.html\n`);
  });
try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${error instanceof FaveError ? error.message : String(error instanceof Error ? error.stack : error)}\n`);
  process.exitCode = 1;
}
