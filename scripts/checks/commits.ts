import { spawnSync } from 'node:child_process';
import { root } from '../../infra/process/paths.ts';

/** The last commit before subjects had a format. */
const BASE = 'b2cc650';
const MAX_LENGTH = 72;
const FORMAT = /^[a-z0-9][a-z0-9/_-]*(?:, [a-z0-9/_-]+)*: [^A-Z\s](?:.*[^.\s])?$/;
/** First words in another mood than the imperative: `adds`, `added`, `adding`. */
const NOT_IMPERATIVE =
  /^(?!(?:pass|process|address|discuss|compress|express|bypass|need|embed|feed|seed|speed|proceed|exceed|shed|bring|string|ping)\b)[a-z]+(?:s|ed|ing)\b/;

/** Returns why a subject is wrong, or `undefined`. */
function problemOf(subject: string): string | undefined {
  if (subject.length > MAX_LENGTH) return `${subject.length} characters; at most ${MAX_LENGTH}`;
  if (!FORMAT.test(subject)) return 'write `area: lower-case imperative`, without a full stop';
  if (NOT_IMPERATIVE.test(subject.replace(/^[^:]*: /, ''))) return 'start with an imperative: `add`, not `adds` or `added`';
  return undefined;
}

const git = (...args: string[]) => spawnSync('git', args, { cwd: root, encoding: 'utf8' });
// An archive or a shallow clone has no history to check.
if (git('merge-base', '--is-ancestor', BASE, 'HEAD').status === 0) {
  const commits = git('log', '--no-merges', '--format=%h %s', `${BASE}..HEAD`).stdout.trim().split('\n').filter(Boolean);
  for (const commit of commits) {
    const [hash, subject] = [commit.slice(0, commit.indexOf(' ')), commit.slice(commit.indexOf(' ') + 1)];
    const problem = problemOf(subject);
    if (problem === undefined) continue;
    console.error(`commit ${hash} "${subject}": ${problem}`);
    process.exitCode = 1;
  }
}
