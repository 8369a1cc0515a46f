import type { Parsed } from '../../../shared/core/options.ts';

/** Languages of multilingual Whisper models, as in whisper.cpp. A server would decode with a wrong token in another one. */
export const LANGUAGES: ReadonlySet<string> = new Set(
  (
    'en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg ' +
    'lt la mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so ' +
    'af oc ka be tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su yue'
  ).split(' '),
);

/** Whisper's codes that are not the canonical ones of BCP 47. */
const WHISPER_CODES: Readonly<Record<string, string>> = { nb: 'no', fil: 'tl', jv: 'jw' };

/** Names that are in use beside those of Unicode, most of them in Whisper itself. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  mandarin: 'zh',
  bengali: 'bn',
  farsi: 'fa',
  castilian: 'es',
  flemish: 'nl',
  valencian: 'ca',
  moldavian: 'ro',
  moldovan: 'ro',
  tagalog: 'tl',
  pushto: 'ps',
  panjabi: 'pa',
  sinhalese: 'si',
  letzeburgesch: 'lb',
  haitian: 'ht',
  maori: 'mi',
};

/**
 * Returns the code of a language that users name by a tag (`en_US.UTF-8`), a code of ISO 639 (`eng`), or an English or native name
 * (`German`, `Deutsch`). No engine distinguishes regions, so `pt-BR` is `pt`.
 */
export function parseLanguage(text: string): Parsed<string> {
  const name = text.trim().normalize('NFC').toLowerCase();
  const value = name === 'auto' ? name : (findTag(name) ?? OTHER_NAMES[name] ?? findName(name));
  if (value !== undefined) return { value };
  return { problem: `must be a language that a speech engine recognises, such as en, German or pt-BR, not "${text}"` };
}

function findTag(text: string): string | undefined {
  const tag = text.replace(/[.@].*/, '').replaceAll('_', '-');
  try {
    const [code = ''] = (Intl.getCanonicalLocales(tag)[0] ?? '').split('-');
    const whisperCode = WHISPER_CODES[code] ?? code;
    return LANGUAGES.has(whisperCode) ? whisperCode : undefined;
  } catch {
    return undefined;
  }
}

function findName(name: string): string | undefined {
  const nameIn = (locale: string, code: string): string | undefined =>
    new Intl.DisplayNames([locale], { type: 'language' }).of(code)?.toLowerCase();
  return [...LANGUAGES].find((code) => nameIn('en', code) === name || nameIn(code, code) === name);
}

/**
 * Returns why an engine cannot recognise a language, as a sentence.
 * @param engine `pocketsphinx`, or the name of a Whisper model; `undefined` if it is not known yet.
 */
export function explainUnspoken(language: string, engine: string | undefined): string | undefined {
  if (engine === undefined || language === 'auto' || language === 'en') return undefined;
  if (engine !== 'pocketsphinx' && !isEnglishModel(engine)) return undefined;
  return `${engine} recognises English only, not "${language}": use a multilingual Whisper model such as base-q8_0, or omit the option language`;
}

/** Returns whether a Whisper model recognises English only, by its name. */
export function isEnglishModel(name: string): boolean {
  return /\.en\b/.test(name);
}
