/** `npm run observe -- [--data DIR] [--port N]`: runs Prometheus for the local instance until Ctrl-C. */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { messageOf } from '../../shared/core/errors.ts';
import { chooseDataDir } from '../process/paths.ts';
import { runPrometheus } from './observe.ts';

const report = (line: string): void => void process.stderr.write(`${line}\n`);
const { values } = parseArgs({ options: { data: { type: 'string' }, port: { type: 'string', default: '9090' } } });
try {
  const dataDir = chooseDataDir(values.data, process.env);
  const { url, stop } = await runPrometheus({ dataDir, port: Number(values.port), progress: report });
  report(`Prometheus: ${url} (alerts: ${url}/alerts)`);
  await Promise.race(['SIGINT', 'SIGTERM'].map((signal) => once(process, signal)));
  await stop();
} catch (error) {
  report(messageOf(error));
  process.exitCode = 1;
}
