/** `npm run study -- …`: runs a study on this machine. */
import { runStudyCommand } from './command.ts';
import { local } from './system/local.ts';

await runStudyCommand(local);
