import { createExec } from '../../shared/tools/exec.ts';

/** Runs programs with the PATH and the tool limits of the test process. */
export const exec = createExec({ env: process.env });
