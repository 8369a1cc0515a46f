import type { Output } from '../context/cli.ts';

/** Redraws lines at the end of a terminal. */
export interface Redraw {
  draw(lines: readonly string[]): void;
  /** Keeps the current lines; later output appears below them. */
  end(): void;
}

export function createRedraw(output: Output): Redraw {
  let drawn: readonly string[] = [];
  return {
    draw(lines) {
      if (lines.length === drawn.length && lines.every((line, n) => line === drawn[n])) return;
      output.rewrite(lines, drawn.length);
      drawn = lines;
    },
    end() {
      drawn = [];
    },
  };
}
