/** The part of an utterance that identifies its speaker. */
export interface Voiced {
  readonly start: number;
  readonly end: number;
  /** Embedding of the voice: base64 of unsigned bytes, of which only the direction counts. */
  readonly voice?: string;
}

/**
 * Minimum mean cosine between the voices of one speaker. On speech of three readers in utterances of 3 to 6 seconds, the mean of one
 * utterance with the others of its reader is at least 0.77, and with those of another reader at most 0.58.
 */
const MIN_SIMILARITY = 0.65;

/** Shorter utterances join the most similar speaker, in seconds, because their embeddings vary more. */
const MIN_SECONDS = 2.5;

/** Minimum similarity at which a short utterance joins a speaker. */
const MIN_SHORT_SIMILARITY = 0.5;

/** Number of utterances per clustering step. The effort of a step grows with the cube of it. */
const BLOCK = 200;

/** Utterances with similar voices. */
interface Cluster {
  readonly members: readonly number[];
  /** Sum of the embeddings, each multiplied by its duration. The product of two sums is the weighted sum of all cosines between them. */
  readonly sum: Float64Array;
  readonly seconds: number;
}

/**
 * Names the speakers of a request: `speaker 1`, `speaker 2`, … in order of appearance. Voices are clustered by average linkage, in
 * order, so the result depends only on the utterances.
 * @param utterances Utterances of all clips, in order of time.
 * @returns A name per utterance; undefined for an utterance without a voice.
 */
export function nameSpeakers(utterances: readonly Voiced[]): (string | undefined)[] {
  const voices = utterances.flatMap(({ voice, start, end }, n) =>
    voice === undefined ? [] : [toCluster(n, voice, end - start)],
  );
  const isLong = ({ seconds }: Cluster): boolean => seconds >= MIN_SECONDS;
  const speakers = clusterInBlocks(voices.filter(isLong));
  const others: Cluster[] = [];
  const joined = speakers.map((speaker) => [...speaker.members]);
  for (const voice of voices.filter((each) => !isLong(each))) {
    const similarities = speakers.map((speaker) => computeSimilarity(speaker, voice));
    const nearest = similarities.indexOf(Math.max(...similarities));
    if ((similarities[nearest] ?? 0) >= MIN_SHORT_SIMILARITY) joined[nearest]?.push(...voice.members);
    else others.push(voice);
  }
  joined.push(...clusterInBlocks(others).map(({ members }) => [...members]));

  const names: (string | undefined)[] = utterances.map(() => undefined);
  joined
    .sort((a, b) => Math.min(...a) - Math.min(...b))
    .forEach((members, n) => members.forEach((member) => (names[member] = `speaker ${n + 1}`)));
  return names;
}

/** Returns whether speakers are worth naming: labels of a single speaker are noise. */
export function hasSeveralSpeakers(utterances: readonly { readonly speaker?: string }[]): boolean {
  return new Set(utterances.flatMap(({ speaker }) => speaker ?? [])).size > 1;
}

function toCluster(member: number, voice: string, duration: number): Cluster {
  const bytes = Buffer.from(voice, 'base64');
  const seconds = Math.max(duration, 0.01);
  const length = Math.hypot(...bytes) || 1;
  return { members: [member], sum: Float64Array.from(bytes, (value) => (value / length) * seconds), seconds };
}

function computeSimilarity(a: Cluster, b: Cluster): number {
  return a.sum.reduce((total, value, n) => total + value * (b.sum[n] ?? 0), 0) / (a.seconds * b.seconds);
}

function clusterInBlocks(voices: readonly Cluster[]): Cluster[] {
  let clusters: Cluster[] = [];
  for (let from = 0; from < voices.length; from += BLOCK)
    clusters = agglomerate([...clusters, ...voices.slice(from, from + BLOCK)]);
  return clusters;
}

/** Merges the most similar clusters until all are less similar than {@link MIN_SIMILARITY}. */
function agglomerate(clusters: Cluster[]): Cluster[] {
  const similarities = clusters.map((a, n) => clusters.slice(0, n).map((b) => computeSimilarity(a, b)));
  for (;;) {
    let best = { similarity: MIN_SIMILARITY, a: 0, b: 0 };
    similarities.forEach((row, b) =>
      row.forEach((similarity, a) => {
        if (similarity > best.similarity) best = { similarity, a, b };
      }),
    );
    const [first, second] = [clusters[best.a], clusters[best.b]];
    if (!first || !second || best.a === best.b) return clusters;
    const merged = {
      members: [...first.members, ...second.members],
      sum: first.sum.map((value, n) => value + (second.sum[n] ?? 0)),
      seconds: first.seconds + second.seconds,
    };
    clusters = clusters.with(best.a, merged).toSpliced(best.b, 1);
    similarities.splice(best.b, 1);
    similarities.forEach((row, n) => {
      if (n >= best.b) row.splice(best.b, 1);
      if (n > best.a) row[best.a] = computeSimilarity(merged, clusters[n] ?? merged);
    });
    similarities[best.a] = clusters.slice(0, best.a).map((other) => computeSimilarity(merged, other));
  }
}
