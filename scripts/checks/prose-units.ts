import { parser } from 'typescript-eslint';

/** A passage that is counted once: one comment with its tags, one sentence of a page, one message, or one description of a schema. */
export interface ProseUnit {
  /** 1-based line of the file. */
  readonly line: number;
  readonly paragraphs: readonly string[];
}

interface Comment {
  readonly type: string;
  readonly value: string;
  readonly loc: { readonly start: { line: number; column: number }; readonly end: { line: number } };
}

interface Literal {
  readonly type: string;
  readonly value: unknown;
  readonly quasis: readonly { value: { cooked: string } }[];
  readonly loc: Comment['loc'];
}

function parse(text: string): { comments: readonly Comment[]; body: unknown } {
  return (parser.parseForESLint(text) as { ast: { comments: readonly Comment[]; body: unknown } }).ast;
}

/** Returns the prose of a file by its extension, in the order of the file. */
export function findProseUnits(path: string, text: string): ProseUnit[] {
  if (path.endsWith('.md')) return findSentences(text);
  if (path.endsWith('.schema.json')) return findDescriptions(text);
  if (/\.ya?ml$/.test(path)) return findHashComments(text);
  return [...findComments(text), ...(/^(?:tests|bench)\//.test(path) ? [] : findMessages(text))];
}

const DIRECTIVE = /^\s*(?:eslint|prettier-ignore|@ts-|@vite|v8 ignore|c8 ignore|#!)/;

/** Comments of TypeScript and JavaScript; consecutive line comments count as one. */
function findComments(text: string): ProseUnit[] {
  const { comments } = parse(text);
  const units: { line: number; endLine: number; column: number; lines: string[] }[] = [];
  for (const { type, value, loc } of comments) {
    if (DIRECTIVE.test(value)) continue;
    const lines = value.split('\n').map((line) => line.replace(/^\s*\*+ ?/, ''));
    const previous = units.at(-1);
    const { line, column } = loc.start;
    if (type === 'Line' && previous?.endLine === line - 1 && previous.column === column) {
      previous.lines.push(...lines);
      previous.endLine = line;
    } else {
      units.push({ line, endLine: type === 'Line' ? line : -1, column, lines });
    }
  }
  return units.map(({ line, lines }) => ({ line, paragraphs: toParagraphs(lines) })).filter(hasWords);
}

/** String literals with at least four words: help, errors, log messages. Values of a template literal count as one word. */
function findMessages(text: string): ProseUnit[] {
  const units: ProseUnit[] = [];
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    const { type, value, quasis, loc } = node as Literal;
    const message =
      type === 'Literal' && typeof value === 'string'
        ? value
        : type === 'TemplateLiteral'
          ? quasis.map((part) => part.value.cooked).join('`value`')
          : '';
    if (/(?:\p{L}{2,}[\s,:;]+){3}\p{L}{2,}/u.test(message))
      units.push({ line: loc.start.line, paragraphs: [message.replace(/\s+/g, ' ').trim()] });
    for (const [key, child] of Object.entries(node)) if (key !== 'parent') visit(child);
  };
  visit(parse(text).body);
  return units;
}

/** Comments of YAML; consecutive ones count as one. */
function findHashComments(text: string): ProseUnit[] {
  const units: { line: number; endLine: number; lines: string[] }[] = [];
  for (const [index, source] of text.split('\n').entries()) {
    const comment = /^(?:\s*| .*? )#(?!!) ?(.*)$/.exec(source)?.[1];
    if (comment === undefined) continue;
    const previous = units.at(-1);
    if (previous?.endLine === index) {
      previous.lines.push(comment);
      previous.endLine = index + 1;
    } else {
      units.push({ line: index + 1, endLine: index + 1, lines: [comment] });
    }
  }
  return units.map(({ line, lines }) => ({ line, paragraphs: toParagraphs(lines) })).filter(hasWords);
}

/** Titles and descriptions of a JSON Schema. */
function findDescriptions(text: string): ProseUnit[] {
  return text
    .split('\n')
    .map((line, index) => ({
      line: index + 1,
      paragraphs: [...line.matchAll(/"description": ("(?:[^"\\]|\\.)*")/g)].map(
        (match) => JSON.parse(match[1] ?? '""') as string,
      ),
    }))
    .filter(hasWords);
}

/** Sentences, table cells and list items of Markdown, without code blocks and comments. */
function findSentences(text: string): ProseUnit[] {
  const units: ProseUnit[] = [];
  let block: { line: number; text: string } | undefined;
  let fence = false;
  const flush = (): void => {
    if (!block) return;
    const { line, text: source } = block;
    units.push(...source.split(/(?<=[.!?])\s+(?=["“(*[`A-Z])/).map((sentence) => ({ line, paragraphs: [sentence] })));
    block = undefined;
  };
  for (const [index, source] of text.split('\n').entries()) {
    const line = source.trim();
    if (/^(?:```|~~~)/.test(line)) {
      flush();
      fence = !fence;
    } else if (fence || line === '' || /^(?: {4}|<!--|<\/?\w+)/.test(source)) {
      flush();
    } else if (line.startsWith('|')) {
      flush();
      for (const cell of line.split(/(?<!\\)\|/))
        if (!/^[\s:-]*$/.test(cell)) units.push({ line: index + 1, paragraphs: [cell.trim()] });
    } else if (/^(?:#+ |[-*] |\d+\. |> )/.test(line)) {
      flush();
      block = { line: index + 1, text: line.replace(/^(?:#+|[-*]|\d+\.|>) /, '') };
    } else {
      block = { line: block?.line ?? index + 1, text: block ? `${block.text} ${line}` : line };
    }
  }
  flush();
  return units.filter(hasWords);
}

/** Joins lines to paragraphs; a tag of a docstring begins one, and its name and parameter are left out. */
function toParagraphs(lines: readonly string[]): string[] {
  return lines
    .join('\n')
    .split(/\n\s*\n|\n(?=\s*(?:@\w|[-*] |\d+\. ))|(?<=[.!?] )(?=@\w)/)
    .map((part) =>
      part
        .replace(/\s+/g, ' ')
        .trim()
        .replace(/^@(?:param|typeParam) \S+\s*-?/, '')
        .replace(/^@\w+\s*/, '')
        .replace(/^[-*] /, '')
        .trim(),
    )
    .filter((part) => part !== '');
}

/** A single word is a name, not prose. */
function hasWords({ paragraphs }: ProseUnit): boolean {
  return paragraphs.some((part) => (part.replace(/`[^`]*`|https?:\S+/g, '').match(/\p{L}{2,}/gu) ?? []).length > 1);
}
