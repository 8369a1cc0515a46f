/** What the report says whatever the data: how figures come about, and what they do not mean. */
export const method = [
  'A cell is one repeat of one load on one regime; a regime says how many replicas each stage has at least and at most and when the last one goes. Requests arrive when the load says so, whether or not earlier ones are done; latency begins when a request was to arrive, so that a slow system cannot hide behind a late generator. Only completed requests have a latency; the others are in “success”.',
  'Intervals are of 95 %, by the two-stage cluster bootstrap (1 000 resamples, fixed seed): repeats are drawn with replacement, then requests within each. Requests of one repeat share replicas, queues and the machine’s mood, so they are not independent; drawing only whole repeats would be too narrow with few of them. With a single repeat, the interval holds only what varies within it.',
  'Regimes are compared by permutation tests on one number a repeat, repeats changing groups as wholes and only within their load: 9 999 permutations, two-sided. P values are corrected by Holm for all comparisons of a measure (all pairs, each load and all loads together). A difference counts as shown when the corrected p is below 0.05 and the interval leaves out “none”. Cliff’s δ tells the size, by requests. “Least p possible” is what so few repeats can give at best: where it is above the level, nothing can be shown.',
  'Run cost is the plan’s proxy, cost_unit = duration_ms / 1000 × memory_limit_mb / 1024 (GB·s), summed over all items, by completed requests. Idle cost is what replicas hold while they have nothing to do: (replica-seconds − busy seconds) × memory_mb / 1024, from the record of replicas and of items between a cell’s beginning and end. The two are never added. Relay, tracker and the servers run in every regime and are left out of both.',
  'The share of cold starts in latency is time in which an item of the request waited at a stage one of whose replicas was starting, while none of its other items was worked on. Where another replica of that stage was ready, this is more than the cold start’s own share.',
];

export const threats = [
  'One machine runs the pipeline, the servers and the load generator: more replicas do not mean more cores, and latencies are not those of a cluster.',
  'One kind of video: other lengths, codecs or amounts of speech move work between stages.',
  'Memory limits are assumptions of the regime: locally nothing enforces them. Both costs are proportional to them.',
  'Which replica worked on an item is not recorded: where a replica works on several at once, busy seconds count one replica an item.',
  'Failed and unfinished requests have no latency: with many of them, percentiles describe the lucky ones.',
];

export const declined =
  'The plan’s optional comparison with AWS Lambda was declined: it needs an account and paid services, and a function of one stage on another machine, with another store, would differ in everything at once. Nothing here says anything about Lambda.';
