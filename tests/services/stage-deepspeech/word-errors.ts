export { computeWordErrorRate } from '../../../bench/accuracy/score.ts';
