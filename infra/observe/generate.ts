/** Writes the dashboard file from `panels.ts`: `npm run generate`. */
import { writeFile } from 'node:fs/promises';
import { dashboard } from './dashboard.ts';

await writeFile(new URL('grafana/dashboards/pipeline.json', import.meta.url), `${JSON.stringify(dashboard(), null, 2)}\n`);
