/** Sections of the report that do not depend on the data: method and limits. */
export const method = [
  'A cell is one repeat of one load under one regime. A regime sets the minimum and maximum number of replicas per stage and the idle timeout of the last replica. Requests arrive at planned times, independent of earlier requests. Latency counts from the planned arrival, so a late load generator cannot hide a slow system. Only completed requests have a latency; “success” covers the others.',
  'Intervals are 95 % intervals from the two-stage cluster bootstrap (1 000 resamples, fixed seed): repeats are drawn with replacement, then requests within each repeat. Requests of one repeat are not independent because they share replicas, queues and machine state. Drawing only whole repeats gives too narrow intervals with few repeats. With a single repeat, the interval covers only the variation within it.',
  'Regimes are compared by stratified permutation tests on one number per repeat: whole repeats are permuted within their load, with 9 999 permutations, two-sided. P values are corrected by Holm for all comparisons of a measure (all pairs, each load and all loads together). A difference is shown when the corrected p is below 0.05 and the interval excludes “no difference”. Cliff’s δ is the effect size by requests. “Smallest possible p” is the best that this number of repeats can give; if it is above the level, no difference can be shown.',
  'Run cost is a proxy: cost_unit = duration_ms / 1000 × memory_limit_mb / 1024 (GB·s), summed over all items and divided by the number of completed requests. Idle cost is the cost of replicas without an item: (replica-seconds − busy seconds) × memory_mb / 1024, from the records of replicas and items between the start and the end of a cell. The two are never added. Relay, tracker and servers run in all regimes and are excluded from both.',
  'The share of cold starts in latency is the time in which an item of the request was queued at a stage with a starting replica while no other item of the request was processed. If another replica of the stage was ready, the share overestimates the effect of the cold start.',
];

export const threats = [
  'One machine runs the pipeline, the servers and the load generator. More replicas do not add cores, and latencies differ from those of a cluster.',
  'The study uses one kind of video. Other lengths, codecs or amounts of speech shift work between stages.',
  'Memory limits are assumptions of the regime and are not enforced locally. Both costs are proportional to them.',
  'The record does not contain the replica of an item. Busy seconds count one replica per item, also for a replica that processes several items at once.',
  'Failed and unfinished requests have no latency. If there are many, percentiles describe only the successful requests.',
];

export const declined =
  'The optional comparison with AWS Lambda was declined. It needs an account and paid services, and a function on another machine with another store would differ in several factors at once. The results do not apply to Lambda.';
