import tseslint from 'typescript-eslint';
import prose from './eslint-plugin.js';

/** Docstrings and test titles only: fast, because it needs no types. */
export default [
  { ignores: ['**/generated/**', 'dist/', 'node_modules/', 'tests/fixtures/', 'tests/recorded/'] },
  {
    files: ['**/*.ts', '**/*.tsx'],
    languageOptions: { parser: tseslint.parser },
    linterOptions: { noInlineConfig: true },
    plugins: { prose },
    rules: { 'prose/docstring': 'warn', 'prose/test-title': 'warn' },
  },
];
