import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasSeveralSpeakers, nameSpeakers, type Voiced } from '../../../shared/results/speakers.ts';

/** Creates an utterance whose voice has 8 components, each spread over four bytes so that one component can have unit length. */
function spoken(start: number, seconds: number, ...voice: readonly number[]): Voiced {
  const bytes = Uint8Array.from({ length: 32 }, (_, n) => voice[n >> 2] ?? 0);
  return { start, end: start + seconds, voice: Buffer.from(bytes).toString('base64') };
}

describe('nameSpeakers', () => {
  it('numbers speakers by their first appearance', () => {
    const utterances = [spoken(0, 4, 0, 255, 30), spoken(5, 4, 255, 20), spoken(10, 4, 0, 240, 60), spoken(15, 4, 250, 60)];
    expect(nameSpeakers(utterances)).toEqual(['speaker 1', 'speaker 2', 'speaker 1', 'speaker 2']);
  });

  it('assigns a short utterance to the most similar speaker with a lower limit than a long one', () => {
    const short = spoken(10, 1, 130, 0, 0, 200);
    expect(nameSpeakers([spoken(0, 4, 255), spoken(5, 4, 0, 255), short])).toEqual(['speaker 1', 'speaker 2', 'speaker 1']);
    expect(nameSpeakers([spoken(0, 4, 255), spoken(5, 4, 0, 255), { ...short, end: 14 }])[2]).toBe('speaker 3');
  });

  it('names the speakers of short utterances that no long one resembles', () => {
    expect(nameSpeakers([spoken(0, 1, 255), spoken(2, 1, 0, 255), spoken(4, 1, 240, 20)])).toEqual([
      'speaker 1',
      'speaker 2',
      'speaker 1',
    ]);
  });

  it('names no speaker of an utterance without a voice', () => {
    expect(nameSpeakers([{ start: 0, end: 1 }, spoken(1, 4, 255)])).toEqual([undefined, 'speaker 1']);
    expect(nameSpeakers([])).toEqual([]);
  });

  it('distinguishes any number of speakers with varying voices in requests of any length', () => {
    const request = fc.record({
      speakers: fc.integer({ min: 1, max: 8 }),
      turns: fc.array(
        fc.record({
          who: fc.nat(7),
          seconds: fc.double({ min: 1.7, max: 9, noNaN: true }),
          noise: fc.array(fc.nat(60), { minLength: 8, maxLength: 8 }),
        }),
        { minLength: 1, maxLength: 450, size: 'max' },
      ),
    });
    fc.assert(
      fc.property(request, ({ speakers, turns }) => {
        const who = turns.map((turn) => turn.who % speakers);
        const utterances = turns.map(({ seconds, noise }, n) =>
          spoken(n * 10, seconds, ...noise.map((value, at) => (at === who[n] ? 255 : value))),
        );
        const order = [...new Set(who)];
        expect(nameSpeakers(utterances)).toEqual(who.map((speaker) => `speaker ${order.indexOf(speaker) + 1}`));
      }),
      { numRuns: 20 },
    );
  });
});

describe('hasSeveralSpeakers', () => {
  it('counts names, not utterances', () => {
    expect(hasSeveralSpeakers([{ speaker: 'speaker 1' }, { speaker: 'speaker 1' }, {}])).toBe(false);
    expect(hasSeveralSpeakers([{ speaker: 'speaker 1' }, { speaker: 'speaker 2' }])).toBe(true);
  });
});
