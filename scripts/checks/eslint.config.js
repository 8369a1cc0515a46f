import tseslint from 'typescript-eslint';
import prose from './eslint-plugin.js';

/** Docstrings and test titles only: fast, because it needs no types. */
export default [
  { ignores: ['**/generated/**', 'dist/', 'node_modules/', 'tests/fixtures/', 'tests/recorded/'] },
  {
    files: ['**/*.ts', '**/*.tsx'],
    languageOptions: { parser: tseslint.parser },
    // Directives for the rules of the main configuration are unused here.
    linterOptions: { reportUnusedDisableDirectives: 'off' },
    // Directives name rules of this plugin; no rule of it is on.
    plugins: { prose, '@typescript-eslint': tseslint.plugin },
    rules: { 'prose/docstring': 'error', 'prose/test-title': 'error' },
  },
];
