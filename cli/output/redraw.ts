import type { Output } from '../context/cli.ts';

/** Redraws lines at the end of a terminal. */
export interface Redraw {
  draw(lines: readonly string[]): void;
  /** Keeps the current lines; later output appears below them. */
  end(): void;
}

const UP_AND_CLEAR = '\u001b[1A\u001b[2K';

export function createRedraw(output: Output): Redraw {
  let drawn: readonly string[] = [];
  return {
    draw(lines) {
      if (lines.length === drawn.length && lines.every((line, n) => line === drawn[n])) return;
      // One write, to avoid flicker.
      output.write(UP_AND_CLEAR.repeat(drawn.length) + lines.map((line) => `${line}\n`).join(''));
      drawn = lines;
    },
    end() {
      drawn = [];
    },
  };
}
