import { graph } from '../../../services/pipeline.ts';
import { checkAccess } from '../../checks/access.ts';
import { checkBus } from '../../checks/bus.ts';
import { checkServices } from '../../checks/services.ts';
import { checkStore } from '../../checks/store.ts';
import { checkTools } from '../../checks/tools.ts';
import { formatCount } from '../../output/format.ts';
import { bad, type Check } from '../../checks/check.ts';
import { toJson, type CliContext, type Output } from '../../context/cli.ts';
import { findInstance, hasServerAddresses, resolveConfig, withBus, withStoreAdmin } from '../../context/connection.ts';
import { exitCodes } from '../../context/errors.ts';
import { messageOf } from '../../../shared/core/errors.ts';
import { wrap } from '../../../shared/core/text.ts';

/** Checks the tools, servers and services, and prints how to fix each problem. */
export async function doctor(cli: CliContext, { json = false }: { json?: boolean }): Promise<number> {
  const instance = await findInstance(cli);
  if (!instance && !hasServerAddresses(cli.env)) {
    const none = bad('services', 'instance', 'none is running, and the environment names no servers', 'start one with npm start');
    return report(cli, [...(await checkTools(cli.env)), none], json);
  }
  const unreachable =
    (group: string) =>
    (error: unknown): Check[] => [bad(group, 'connection', messageOf(error), 'start it with npm start')];
  const checks = [
    ...(await checkTools(cli.env, instance)),
    ...(await withStoreAdmin(cli, (admin) => checkStore(admin, graph)).catch(unreachable('store'))),
    ...(await withBus(cli, (bus) => checkBus(bus, graph)).catch(unreachable('bus'))),
    ...(instance ? await checkAccess(instance, await resolveConfig(cli), graph) : []),
    ...(await checkServices(instance, graph)),
  ];
  return report(cli, checks, json);
}

function report(cli: CliContext, checks: readonly Check[], json: boolean): number {
  const healthy = checks.every(({ state }) => state !== 'bad');
  if (json) cli.stdout.line(toJson({ ok: healthy, checks }));
  else formatChecks(checks, cli.stdout).forEach(cli.stdout.line);
  return healthy ? exitCodes.ok : exitCodes.failed;
}

/** Formats checks by group, each problem with its fix. */
export function formatChecks(checks: readonly Check[], output: Output): string[] {
  const { style, columns } = output;
  const marks = { ok: style('green', '✓'), warn: style('yellow', '!'), bad: style('red', '✗') };
  const width = Math.max(...checks.map(({ name }) => name.length));
  const indent = ' '.repeat(width + 6);
  const groups = [...new Set(checks.map(({ group }) => group))];
  const problems = checks.filter(({ state }) => state === 'bad').length;
  return [
    ...groups.flatMap((group) => [
      style('bold', group),
      ...checks
        .filter((each) => each.group === group)
        .flatMap(({ name, state, found, fix }) => {
          const [first = '', ...more] = wrap(found, columns - indent.length);
          const hints = fix === '' ? [] : wrap(`→ ${fix}`, columns - indent.length);
          return [`  ${marks[state]} ${name.padEnd(width)}  ${first}`, ...[...more, ...hints].map((line) => indent + line)];
        }),
    ]),
    '',
    problems === 0 ? style('green', 'no problems') : style('red', formatCount(problems, 'problem')),
  ];
}
