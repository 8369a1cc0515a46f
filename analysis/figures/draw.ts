import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { initWasm, Resvg } from '@resvg/resvg-wasm';
import { parse, resetSVGDefIds, View } from 'vega';
import { compile } from 'vega-lite';
import { config, FONT, type Figure } from './figure.ts';

export interface Drawing extends Figure {
  readonly svg: string;
  readonly png: Uint8Array;
}

const file = (name: string): Promise<Buffer> => readFile(createRequire(import.meta.url).resolve(name));

/** Renders figures as SVG, and as PNG with twice the size. Equal specifications produce equal bytes. */
export async function drawFigures(figures: readonly Figure[]): Promise<Drawing[]> {
  await loaded();
  const fonts = await Promise.all(
    ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map(async (name) => new Uint8Array(await file(`dejavu-fonts-ttf/ttf/${name}`))),
  );
  // Ids are unique across figures because one page contains all of them. Starting at 0 keeps the output independent of earlier calls.
  resetSVGDefIds();
  const drawings: Drawing[] = [];
  for (const figure of figures) {
    const svg = await toSvg(figure);
    const image = new Resvg(svg, {
      font: { fontBuffers: fonts, defaultFontFamily: FONT, sansSerifFamily: FONT },
      fitTo: { mode: 'zoom', value: 2 },
    });
    drawings.push({ ...figure, svg, png: image.render().asPng() });
    image.free();
  }
  return drawings;
}

async function toSvg({ spec }: Figure): Promise<string> {
  const view = new View(parse(compile({ ...spec, config }).spec), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  return svg;
}

let wasm: Promise<void> | undefined;

/** Initialises resvg once per process, because a second initialisation fails. */
function loaded(): Promise<void> {
  wasm ??= file('@resvg/resvg-wasm/index_bg.wasm').then((bytes) => initWasm(new Uint8Array(bytes)));
  return wasm;
}
