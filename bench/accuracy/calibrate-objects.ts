/**
 * Draws the precision and recall of listed objects over the scores of the listing rule (docs/detection/precision-recall.svg) and prints the
 * tables of docs/detection.md. With `record`, it first detects objects in the test media and writes docs/detection/frames.json.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { drawFigures } from '../../analysis/figures/draw.ts';
import { quantity } from '../../analysis/figures/figure.ts';
import { root } from '../../infra/process/paths.ts';
import type { Detections } from '../../schemas/generated/types.ts';
import { decode } from '../../services/stage-object-detector/frames.ts';
import { loadDetector } from '../../services/stage-object-detector/load-detector.ts';
import { parseDetections } from '../../services/stage-object-detector/parse-detections.ts';
import { type ListingRule, LISTING_RULE, mergeDetections } from '../../shared/results/timeline.ts';
import { createExec } from '../../shared/tools/exec.ts';
import { findMedia } from '../instance/requests.ts';
import { type AccuracyMedium, readMedium } from './media.ts';
import { scoreObjects, type Truth } from './score.ts';

/** Scores by label in each second of a file. */
interface Recording {
  readonly file: string;
  readonly truth: Pick<Truth, 'objects_may'> & Required<Pick<Truth, 'scenes'>>;
  readonly frames: readonly Readonly<Record<string, number>>[];
}

const folder = join(root, 'docs/detection');

/** Default interval of `stage-ffmpeg-3`, in seconds. */
const INTERVAL = 5;

/** Lowest recorded score. */
const LOWEST = 0.2;

async function record(): Promise<Recording[]> {
  const single = (file: string, seconds: number, label: string, may: readonly string[] = []): AccuracyMedium => ({
    name: file,
    path: findMedia(file),
    truth: { segments: [], scenes: [{ start: 0, end: seconds, objects: [label] }], objects_may: may },
  });
  const media = [
    await readMedium('long-5min.mp4'),
    await readMedium('walk-and-talk.mp4'),
    single('car-detection-silent-track.mp4', 30, 'car', ['truck']),
    single('bottle-detection-no-audio.mp4', 39, 'bottle', ['person']),
    single('portrait-rotated.mp4', 9, 'person', ['dining table', 'tv', 'laptop', 'chair']),
  ];
  const detector = await loadDetector('', 'auto');
  const recordings: Recording[] = [];
  for (const { name, path, truth } of media) {
    const dir = await mkdtemp(join(tmpdir(), 'fave-objects-'));
    const frames: Record<string, number>[] = [];
    const filter = ['-filter:v', 'fps=1:start_time=0:round=up,format=yuvj420p'];
    await promisify(execFile)('ffmpeg', ['-v', 'error', '-i', path, ...filter, '-q:v', '3', join(dir, '%04d.jpg')]);
    for (const file of (await readdir(dir)).sort()) {
      const image = { path: join(dir, file), ...(await probeSize(join(dir, file))) };
      const [frame] = await decode([image], detector.input, dir, createExec({ env: process.env }));
      const objects = frame ? parseDetections(await detector.detect(frame.rgb), image, detector, LOWEST) : [];
      // Objects are sorted by descending score, so the last entry of a label is its highest score.
      frames.push(Object.fromEntries(objects.toReversed().map(({ label, score }) => [label, score])));
    }
    await rm(dir, { recursive: true });
    const scenes = (truth.scenes ?? []).map(({ start, end, objects, likely = [] }) => ({ start, end, objects, likely }));
    recordings.push({ file: name, truth: { scenes, objects_may: truth.objects_may ?? [] }, frames });
  }
  return recordings;
}

async function probeSize(path: string): Promise<{ width: number; height: number }> {
  const args = ['-v', 'error', '-show_entries', 'stream=width,height', '-of', 'csv=p=0', path];
  const [width = NaN, height = NaN] = (await promisify(execFile)('ffprobe', args)).stdout.split(',').map(Number);
  return { width, height };
}

/** Scores files as if they followed each other in one video. The time of the first frame is varied, because it is arbitrary. */
function scoreRule(recordings: readonly Recording[], rule: ListingRule, interval = INTERVAL): ReturnType<typeof scoreObjects> {
  const objects: ReturnType<typeof mergeDetections> = [];
  const scenes: Required<Truth>['scenes'][number][] = [];
  let offset = 0;
  for (const { truth, frames } of recordings) {
    for (let phase = 0; phase < interval; phase++) {
      const shift = <T extends { start: number; end: number }>(span: T): T => ({
        ...span,
        start: span.start + offset,
        end: span.end + offset,
      });
      objects.push(...mergeDetections([toDetections(frames, truth.scenes, interval, phase)], rule).map(shift));
      scenes.push(
        ...truth.scenes.map((scene) => shift({ ...scene, likely: [...(scene.likely ?? []), ...(truth.objects_may ?? [])] })),
      );
      offset += frames.length + 10;
    }
  }
  return scoreObjects(objects, { segments: [], scenes });
}

/** Takes a frame per interval, and the first one of each scene, like the pipeline. */
function toDetections(
  frames: Recording['frames'],
  scenes: Recording['truth']['scenes'],
  interval: number,
  phase: number,
): Detections {
  const box = { x: 0, y: 0, width: 1, height: 1 };
  const isTaken = (time: number): boolean => time % interval === phase || scenes.some(({ start }) => start > 0 && start === time);
  return {
    model: 'centernet',
    threshold: LOWEST,
    start: 0,
    end: frames.length,
    frames: frames.flatMap((scores, time) => {
      const objects = Object.entries(scores).map(([label, score]) => ({ label, score, box }));
      return isTaken(time) ? [{ file: 'frame_0001.jpg', time, width: 1, height: 1, objects }] : [];
    }),
  };
}

const scores = Array.from({ length: 12 }, (_, n) => Math.round((0.25 + n * 0.05) * 100) / 100);

/** Returns the rule with the highest F1 score on some files; among equals, the one in the middle. */
function fitRule(recordings: readonly Recording[]): ListingRule {
  const lower = [0.3, 0.35, 0.4, 0.45];
  const rules = scores.flatMap((confident) =>
    lower.flatMap((supported) => lower.map((vehicle) => ({ supported, confident, vehicle }))),
  );
  const rated = rules
    .filter(({ supported, confident }) => supported <= confident)
    .map((rule) => {
      const { recall, precision } = scoreRule(recordings, rule);
      return { rule, f1: (2 * recall * precision) / Math.max(0.01, recall + precision) };
    });
  const best = rated.filter(({ f1 }) => f1 >= Math.max(...rated.map((each) => each.f1)) - 0.005);
  return best[best.length >> 1]?.rule ?? LISTING_RULE;
}

async function draw(recordings: readonly Recording[]): Promise<void> {
  const sets = { 'long-5min.mp4': recordings.slice(0, 1), 'all files': recordings };
  const rules = {
    'one threshold': (score: number) => ({ supported: score, confident: score, vehicle: score }),
    'one confident or two consecutive frames': (score: number) => ({ ...LISTING_RULE, confident: score }),
  };
  const values = Object.entries(sets).flatMap(([files, set]) =>
    Object.entries(rules).flatMap(([rule, create]) =>
      scores
        .filter((score) => score >= create(score).supported)
        .map((score) => ({ files, rule, score, ...scoreRule(set, create(score)) })),
    ),
  );
  const axis = (name: string) => ({ ...quantity(name, name), scale: { domain: [0.3, 1] } });
  const encoding = { x: axis('recall'), y: axis('precision') };
  const colour = {
    field: 'rule',
    type: 'nominal' as const,
    title: null,
    legend: { orient: 'bottom' as const, columns: 1, labelLimit: 400 },
  };
  const [figure] = await drawFigures([
    {
      name: 'precision-recall',
      title: 'Listed objects',
      caption: '',
      spec: {
        title: 'Precision and recall of listed objects by score',
        data: { values },
        facet: { column: { field: 'files', type: 'nominal', header: { title: null }, sort: Object.keys(sets) } },
        spec: {
          width: 300,
          height: 300,
          layer: [
            { mark: 'line', encoding: { ...encoding, color: colour, order: { field: 'score' } } },
            { mark: { type: 'point', filled: true, size: 40 }, encoding: { ...encoding, color: colour } },
            {
              transform: [{ filter: 'indexof([0.3, 0.4, 0.5, 0.6, 0.7], datum.score) >= 0' }],
              mark: { type: 'text', dx: 8, dy: -8, fontSize: 9 },
              encoding: { ...encoding, text: { field: 'score' } },
            },
          ],
        },
      },
    },
  ]);
  if (figure) await writeFile(join(folder, 'precision-recall.svg'), figure.svg);
}

function formatTables(recordings: readonly Recording[]): string {
  const format = ({ recall, precision }: { recall: number; precision: number }): string =>
    `${recall.toFixed(2)} / ${precision.toFixed(2)}`;
  const before = { supported: 0.3, confident: 0.3, vehicle: 0.3 };
  const both = (set: readonly Recording[], interval?: number): string[] =>
    [before, LISTING_RULE].map((rule) => format(scoreRule(set, rule, interval)));
  const files = recordings.map((one) => {
    const fitted = fitRule(recordings.filter((other) => other !== one));
    const { confident, supported, vehicle } = fitted;
    return [
      `\`${one.file}\``,
      ...both([one]),
      `${format(scoreRule([one], fitted))} (${[confident, supported, vehicle].join(', ')})`,
    ];
  });
  const table = (rows: readonly (readonly string[])[]): string => rows.map((cells) => `| ${cells.join(' | ')} |\n`).join('');
  return [
    table([
      ['file', 'one score of 0.3 (before)', 'the rule', 'rule fitted to the other files (confident, supported, vehicle)'],
      ['---', '---', '---', '---'],
      ...files,
      ['all', ...both(recordings), '–'],
    ]),
    table([
      ['option `interval`', 'one score of 0.3', 'the rule'],
      ['---', '---', '---'],
      ...[5, 3, 2, 1].map((seconds) => [`${String(seconds)} s`, ...both(recordings, seconds)]),
    ]),
  ].join('\n');
}

const data = join(folder, 'frames.json');
if (process.argv[2] === 'record') {
  await mkdir(folder, { recursive: true });
  const rows = (await record()).map((each) => `  ${JSON.stringify(each)}`);
  await writeFile(data, `[\n${rows.join(',\n')}\n]\n`);
}
const recordings = JSON.parse(await readFile(data, 'utf8')) as Recording[];
await draw(recordings);
process.stdout.write(formatTables(recordings));
