import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../../infra/process/paths.ts';

const pages = globSync(['*.md', 'docs/**/*.md', 'examples/*.md'], { cwd: root });
const read = (page: string): string => readFileSync(join(root, page), 'utf8').replace(/^```.*?^```$/gms, '');
/** Anchors of a page's headings, as GitHub derives them. */
const anchorsOf = (page: string): string[] =>
  [...read(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );

describe('documentation', () => {
  it.each(pages)('%s links to existing pages and headings', (page) => {
    const links = [...read(page).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)];
    const broken = links.filter(([, path = '', anchor]) => {
      const target = path === '' ? page : join(dirname(page), path);
      return !existsSync(join(root, target)) || (anchor !== undefined && !anchorsOf(target).includes(anchor));
    });
    expect(broken.map(([link]) => link)).toEqual([]);
  });

  it.each(pages)('%s names existing source files', (page) => {
    const tree = 'analysis|bench|cli|docs|examples|experiments|infra|k8s|loadgen|schemas|scripts|services|shared|tests';
    const paths = [...read(page).matchAll(new RegExp('`((?:' + tree + ')/[\\w./-]*)`', 'g'))].map(([, path = '']) => path);
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});
