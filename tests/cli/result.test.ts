import { describe, expect, it } from 'vitest';
import { formatResult } from '../../cli/commands/results/result.ts';
import type { Result } from '../../shared/results/result.ts';

const output = { style: (_: unknown, text: string) => text, columns: 100 } as unknown as Parameters<typeof formatResult>[1];

/** Creates a result with one utterance per speaker. */
function spoken(...speakers: readonly string[]): Result {
  const utterances = speakers.map((speaker, n) => ({ start: n * 2, end: n * 2 + 1, speaker, text: `text ${n}`, words: [] }));
  const request = { request_id: 'id', status: 'completed', input: 'a.mp4', duration: 10, engines: ['whisper'] } as const;
  return { ...request, utterances, objects: [], matches: [], errors: [] };
}

describe('formatResult', () => {
  it('names the engines that transcribed, not the one of clips without speech', () => {
    const heading = (...engines: readonly string[]): string => formatResult({ ...spoken(), engines }, output)[0] ?? '';
    expect(heading('none', 'whisper')).toMatch(/, transcribed by whisper$/);
    expect(heading('none')).not.toContain('transcribed');
  });
  it('names the speakers if there are several', () => {
    const lines = formatResult(spoken('speaker 1', 'speaker 2'), output).join('\n');
    expect(lines).toContain('said  Speaker 1: text 0');
    expect(lines).toContain('said  Speaker 2: text 1');
  });
  it('does not name a single speaker', () => {
    expect(formatResult(spoken('speaker 1', 'speaker 1'), output).join('\n')).not.toMatch(/speaker/i);
  });
});
