import { isDeepStrictEqual } from 'node:util';
import { connectBus, type Bus } from '../../../shared/bus/connection.ts';
import { consumerName, lanesOf, streams } from '../../../shared/bus/topology.ts';
import type { AnyStage } from '../../../shared/pipeline/stage.ts';
import { hosts } from '../../../infra/kubernetes/names.ts';
import { killPod, replacement, type Adaptation } from '../cluster/kubectl.ts';
import { artifacts, findMissingReplicas } from '../cluster/replication.ts';
import { isScaled, lagsByKeda } from '../cluster/keda.ts';
import { medium } from '../cluster/media.ts';
import { until, type System } from '../cluster/system.ts';
import { recordScenario, timelineOf, type Mark, type Scenario, type Seen, type Timeline } from './scenario-report.ts';

/** Whose items take some seconds each: it has lag when the servers are killed. */
const STAGE = 'stage-deepspeech';

/** Servers ask for less memory than they may take, as seven of them share a node. */
export const smallServers: Adaptation = {
  patches: [replacement('StatefulSet', '/spec/template/spec/containers/0/resources/requests/memory', '128Mi')],
};

const leaderOf = async ({ manager }: Bus): Promise<string | undefined> =>
  (await manager.streams.info(streams.landed).catch(() => undefined))?.cluster?.leader;

/** KEDA tells of a stage's consumers what the servers say that lead them, and there is something to tell. */
async function kedaKnows(system: System, stage: AnyStage): Promise<true | undefined> {
  const before = await system.lags();
  const told = await lagsByKeda(system, stage);
  const after = await system.lags();
  const names = lanesOf(stage.consumes).map((lane) => consumerName(stage.name, lane));
  const agrees = names.every((name) => [before.get(name), after.get(name)].includes(told?.get(name) ?? -1));
  return (agrees && names.some((name) => (told?.get(name) ?? 0) > 0)) || undefined;
}

/** A server of the bus and one of the store are killed under load: requests go on, all are completed and alike, and the copies are made whole again. */
export const scaleOut: Scenario = async (system, graph, say) => {
  const bus = await connectBus(system.admin.bus, 'test-admin');
  const stage = graph.stages.find(({ name }) => name === STAGE) as AnyStage;
  // Without memo, or all but the first would be copies.
  const submit = (id: string): Promise<void> => system.submit(id, medium('walk-and-talk.mp4'), { memo: 'false' });
  const whole = async (): Promise<true | undefined> =>
    (await findMissingReplicas(system, bus).catch((error: unknown) => [String(error)])).length === 0 || undefined;
  const play = async ({ recording, events }: Seen): Promise<Timeline> => {
    const marks: Mark[] = [];
    const mark = (what: string): void => {
      marks.push({ t: recording.now(), what });
      say(`${recording.now().toFixed(1)} s: ${what}`);
    };
    await until('all copies', 60, whole);
    const begun = recording.now();
    const [first, ...others] = ['undisturbed', 'disturbed-1', 'disturbed-2', 'disturbed-3'] as const;
    await submit(first);
    await events.completed([first], 600);
    mark(`completed with all servers: ${first}`);

    await Promise.all(others.map(submit));
    await until(`work at ${STAGE}`, 300, () => Promise.resolve((recording.current(STAGE)?.lag ?? 0) > 2 || undefined));
    const leader = await until('a leader', 30, () => leaderOf(bus));
    await killPod(leader);
    mark(`killed ${leader}, which leads ${streams.landed}`);
    const heir = await until('another leader', 60, async () => {
      const now = await leaderOf(bus);
      return now === leader ? undefined : now;
    });
    mark(`${heir} leads ${streams.landed}`);
    await until(`KEDA's knowledge of ${STAGE}'s lag`, 120, () => kedaKnows(system, stage));
    mark(`KEDA reads the lag of ${STAGE} from those who lead`);

    const node = `${hosts.store}-1`;
    await killPod(node);
    mark(`killed ${node}`);
    await submit('meanwhile');
    mark('uploaded meanwhile');
    const ids = [first, ...others, 'meanwhile'];
    await events.completed(ids, 900);
    const completed = recording.now();
    mark('all completed');
    const [model, ...rest] = await Promise.all(ids.map((id) => artifacts(system, id)));
    if (!rest.every((each) => isDeepStrictEqual(each, model))) throw new Error('the requests do not have the same artifacts');
    say(`${Object.keys(model ?? {}).length} artifacts each, all alike`);
    await until('all copies again', 180, whole);
    mark('all copies are whole again');
    for (const { name } of graph.stages) if (!(await isScaled(system, name))) throw new Error(`KEDA does not scale ${name}`);
    const about = `${ids.length} videos of 54 s; a server of the bus and one of the store killed under load`;
    return timelineOf(graph, recording, events, { about, overlay: 'scale-out', requests: ids.length, begun, completed, marks });
  };
  return recordScenario(system, graph, play).finally(() => bus.close());
};
