/** `npm run analyse [-- experiments] [--out DIR]` */
import { Command } from 'commander';
import { FaveError } from '../shared/core/errors.ts';
import { analyse } from './analyse.ts';

const program = new Command('analyse')
  .description('Creates tables, figures and a report from recorded cells.')
  .argument('[experiments]', 'directory with recorded cells, at any depth', 'experiments')
  .option('--out <directory>', 'output directory', 'analysis/out')
  .action(async (experiments: string, { out }: { out: string }) => {
    const files = await analyse(experiments, out);
    process.stdout.write(`wrote ${files.length} files to ${out}; open ${out}/report.html\n`);
  });
try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${error instanceof FaveError ? error.message : String(error instanceof Error ? error.stack : error)}\n`);
  process.exitCode = 1;
}
