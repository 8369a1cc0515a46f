/** Number of fuzz cases, set by `npm run fuzz` in the environment; a sample in the test suite. */
export const size = {
  media: count('FAVE_FUZZ_MEDIA', 40),
  events: count('FAVE_FUZZ_EVENTS', 500),
  seed: count('FAVE_FUZZ_SEED', 1),
};

function count(name: string, usual: number): number {
  const value = Number(process.env[name] || usual);
  if (!Number.isInteger(value) || value < 0) throw new Error(`${name} must be a whole number`);
  return value;
}
