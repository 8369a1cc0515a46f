import { isDeepStrictEqual } from 'node:util';
import { connectBus, type Bus } from '../../../shared/bus/connection.ts';
import { consumerName, lanesOf, streams } from '../../../shared/bus/topology.ts';
import type { AnyStage } from '../../../shared/pipeline/stage.ts';
import { hosts } from '../../../infra/kubernetes/names.ts';
import { killPod, replaceField, type OverlayChanges } from '../cluster/kubectl.ts';
import { readArtifactEtags, findMissingReplicas } from '../cluster/replication.ts';
import { isScaled, readKedaLags } from '../cluster/keda.ts';
import { findTestVideo } from '../cluster/media.ts';
import { waitUntil, type System } from '../cluster/system.ts';
import {
  recordScenario,
  timelineOf,
  type Mark,
  type Scenario,
  type ScenarioRecorders,
  type Timeline,
} from './scenario-report.ts';

/** A stage with items of several seconds, which has lag when the servers are killed. */
const STAGE = 'stage-deepspeech';

/** Low memory requests, because seven servers share a node. */
export const smallServers: OverlayChanges = {
  patches: [replaceField('StatefulSet', '/spec/template/spec/containers/0/resources/requests/memory', '128Mi')],
};

const leaderOf = async ({ manager }: Bus): Promise<string | undefined> =>
  (await manager.streams.info(streams.landed).catch(() => undefined))?.cluster?.leader;

/** Returns true if KEDA reports the lag of a stage that the leaders of its consumers report, and it is not zero. */
async function kedaReportsLag(system: System, stage: AnyStage): Promise<true | undefined> {
  const before = await system.lags();
  const reported = await readKedaLags(system, stage);
  const after = await system.lags();
  const names = lanesOf(stage.consumes).map((lane) => consumerName(stage.name, lane));
  const agrees = names.every((name) => [before.get(name), after.get(name)].includes(reported?.get(name) ?? -1));
  return (agrees && names.some((name) => (reported?.get(name) ?? 0) > 0)) || undefined;
}

/** Kills a NATS server and a MinIO node under load. Checks that all requests complete with equal artifacts and that all replicas recover. */
export const scaleOut: Scenario = async (system, graph, report) => {
  const bus = await connectBus(system.admin.bus, 'test-admin');
  const stage = graph.stages.find(({ name }) => name === STAGE) as AnyStage;
  // With the memo, all requests but the first would reuse its results.
  const submit = (id: string): Promise<void> => system.submit(id, findTestVideo('walk-and-talk.mp4'), { memo: 'false' });
  const isFullyReplicated = async (): Promise<true | undefined> =>
    (await findMissingReplicas(system, bus).catch((error: unknown) => [String(error)])).length === 0 || undefined;
  const play = async ({ recording, events }: ScenarioRecorders): Promise<Timeline> => {
    const marks: Mark[] = [];
    const mark = (label: string): void => {
      marks.push({ t: recording.now(), label });
      report(`${recording.now().toFixed(1)} s: ${label}`);
    };
    await waitUntil('all replicas are current', 60, isFullyReplicated);
    const begun = recording.now();
    const [first, ...others] = ['undisturbed', 'disturbed-1', 'disturbed-2', 'disturbed-3'] as const;
    await submit(first);
    await events.completed([first], 600);
    mark(`completed with all servers: ${first}`);

    await Promise.all(others.map(submit));
    await waitUntil(`${STAGE} has lag`, 300, () => Promise.resolve((recording.current(STAGE)?.lag ?? 0) > 2 || undefined));
    const leader = await waitUntil('the stream has a leader', 30, () => leaderOf(bus));
    await killPod(leader);
    mark(`killed ${leader}, which leads ${streams.landed}`);
    const successor = await waitUntil('the stream has another leader', 60, async () => {
      const now = await leaderOf(bus);
      return now === leader ? undefined : now;
    });
    mark(`${successor} leads ${streams.landed}`);
    await waitUntil(`KEDA reports the lag of ${STAGE}`, 120, () => kedaReportsLag(system, stage));
    mark(`KEDA reads the lag of ${STAGE} from the new leaders`);

    const node = `${hosts.store}-1`;
    await killPod(node);
    mark(`killed ${node}`);
    await submit('after-kill');
    mark('uploaded another video');
    const ids = [first, ...others, 'after-kill'];
    await events.completed(ids, 900);
    const completed = recording.now();
    mark('all completed');
    const [expected, ...rest] = await Promise.all(ids.map((id) => readArtifactEtags(system, id)));
    if (!rest.every((each) => isDeepStrictEqual(each, expected))) throw new Error('the requests do not have the same artifacts');
    report(`${Object.keys(expected ?? {}).length} artifacts each, all equal`);
    await waitUntil('all replicas have recovered', 180, isFullyReplicated);
    mark('all replicas have recovered');
    for (const { name } of graph.stages) if (!(await isScaled(system, name))) throw new Error(`KEDA does not scale ${name}`);
    const about = `${ids.length} videos of 54 s; a NATS server and a MinIO node killed under load`;
    return timelineOf(graph, recording, events, { about, overlay: 'scale-out', requests: ids.length, begun, completed, marks });
  };
  return recordScenario(system, graph, play).finally(() => bus.close());
};
