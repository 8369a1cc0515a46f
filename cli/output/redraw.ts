import type { Output } from '../context/cli.ts';

/** Lines at the end of a terminal that are drawn again and again. */
export interface Redraw {
  draw(lines: readonly string[]): void;
  /** Leaves the lines as they are; what is written next comes below. */
  end(): void;
}

const UP_AND_CLEAR = '\u001b[1A\u001b[2K';

export function createRedraw(output: Output): Redraw {
  let drawn: readonly string[] = [];
  return {
    draw(lines) {
      if (lines.length === drawn.length && lines.every((line, n) => line === drawn[n])) return;
      // In one write, so that no half picture flickers.
      output.write(UP_AND_CLEAR.repeat(drawn.length) + lines.map((line) => `${line}\n`).join(''));
      drawn = lines;
    },
    end() {
      drawn = [];
    },
  };
}
