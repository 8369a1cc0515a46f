import type { Graph } from '../../shared/pipeline/graph.ts';

const concurrency: Readonly<Record<string, (cores: number) => number>> = {
  // Its tools are single-threaded.
  'stage-deepspeech': (cores) => cores,
  // An encoder has two threads. One item more uses the cores while another is downloaded, uploaded or starts its tool.
  'stage-ffmpeg-3': (cores) => Math.floor(cores / 2) + 1,
};

/** Returns the number of items that a stage process works on concurrently on a machine with this number of cores. */
export const concurrencyOf = (stage: string, cores: number): number => concurrency[stage]?.(cores) ?? 1;

/**
 * Process priority (`nice`) of stages on a single machine, where it is not 0. The last stages of the pipeline yield to the
 * stages that feed them: otherwise one core would work on the last clip alone at the end of a request.
 */
export const niceness: Readonly<Record<string, number>> = {
  'stage-deepspeech': 5,
  'stage-object-detector': 5,
};

/**
 * Services that run in their own process on a single machine: one yields to others by its priority, and the detector computes
 * on the main thread. All others share a process, which saves the memory of a Node runtime each (docs/decisions/local-processes.md).
 */
const separateServices: readonly string[] = ['stage-deepspeech', 'stage-object-detector'];

/** Returns the services of each process of a local instance. @param share Whether light services share a process. */
export function groupServices(services: readonly string[], { share }: { share: boolean }): [string, ...string[]][] {
  const isSeparate = (name: string): boolean => !share || separateServices.includes(name);
  const [first, ...others] = services.filter((name) => !isSeparate(name));
  const separate = services.filter(isSeparate).map((name): [string] => [name]);
  return first === undefined ? separate : [[first, ...others], ...separate];
}

/** Services without tools and models, which run in the small image. All other stages use the image with the tools. */
export const servicesWithoutTools: readonly string[] = ['relay', 'tracker', 'stage-librosa', 'stage-grep'];

/** Memory limit of services that no regime sizes (relay and tracker), in MB. They hold no media. */
export const SMALL_MEMORY_MB = 256;

/** Returns the names of all services of a graph. Relay and tracker come first, so that no object lands unannounced. */
export function serviceNames(graph: Graph): string[] {
  return ['relay', 'tracker', ...graph.stages.map(({ name }) => name)];
}
