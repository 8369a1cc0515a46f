import meyda from 'meyda';

/** Sample rate of the audio from stage-ffmpeg-0, in Hz: the default of librosa. */
export const SAMPLE_RATE = 22_050;

/** Samples per frame: the default of librosa. */
export const FRAME = 2_048;

/** Number of mel-frequency cepstral coefficients per frame. */
export const MFCCS = 13;

/** Number of features per frame: zero crossing rate, spectral centroid and rolloff in Hz, and {@link MFCCS} MFCC. */
export const FEATURES = 3 + MFCCS;

interface Meyda {
  bufferSize: number;
  sampleRate: number;
  windowingFunction: string;
  numberOfMFCCCoefficients: number;
  readonly featureExtractors: Record<'rms' | 'zcr', (input: { signal: Float32Array }) => number>;
  extract(names: readonly string[], signal: Float32Array): { spectralCentroid: number; spectralRolloff: number; mfcc: number[] };
}

// The types of the package describe `exports.default` and the browser's AudioContext. Node loads the object itself.
const Meyda = meyda as unknown as Meyda;
Meyda.bufferSize = FRAME;
Meyda.sampleRate = SAMPLE_RATE;
Meyda.windowingFunction = 'hanning';
Meyda.numberOfMFCCCoefficients = MFCCS;

/**
 * Returns the root mean square of one frame of samples scaled to ±1, as librosa's `feature.rms`.
 *
 * It calls the extractor directly. `extract` would apply the Hann window and compute an unused spectrum, at a hundred times the cost.
 */
export function rms(frame: Float32Array): number {
  return Meyda.featureExtractors.rms({ signal: frame });
}

/**
 * Writes one frame's features into `into`, [{@link FEATURES}], all 0 for digital silence. Differences from the defaults of librosa:
 * - zero crossing rate: none (meyda counts crossings, librosa and this divide by the frame's samples);
 * - spectral centroid: meyda's unit is the bin, here Hz; symmetric Hann window where librosa's is periodic;
 * - spectral rolloff: Hz below which 99 % of the *amplitude* lies; librosa's 85 % of it;
 * - MFCC: 26 HTK-like mel bands of the power spectrum, ln(1 + x), unscaled DCT-II; librosa's are 128 Slaney bands, dB, orthonormal.
 */
export function features(frame: Float32Array, into: Float32Array): void {
  // Without amplitude the centroid is 0/0 and the rolloff is the highest frequency.
  if (frame.every((sample) => sample === 0)) {
    into.fill(0);
    return;
  }
  const { spectralCentroid, spectralRolloff, mfcc } = Meyda.extract(['spectralCentroid', 'spectralRolloff', 'mfcc'], frame);
  into[0] = Meyda.featureExtractors.zcr({ signal: frame }) / FRAME;
  into[1] = (spectralCentroid * SAMPLE_RATE) / FRAME;
  into[2] = spectralRolloff;
  into.set(mfcc, 3);
}
