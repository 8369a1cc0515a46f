/** `npm run study:k8s -- …`: builds and starts the test cluster, runs a study inside its network, and removes the cluster. */
import { runStudyCommand } from '../../loadgen/study/command.ts';
import { kubernetes } from './study-platform.ts';
import { withCluster } from './cluster/with-cluster.ts';

/** Set in the process that runs inside the cluster's network. */
const INSIDE = 'FAVE_STUDY_IN_CLUSTER';

const report = (line: string): void => void process.stderr.write(`${line}\n`);

await runStudyCommand(kubernetes, (study) =>
  process.env[INSIDE] === undefined ? withCluster(process.argv.slice(1), report, { [INSIDE]: 'true' }) : study(),
);
