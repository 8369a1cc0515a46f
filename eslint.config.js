import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', '.fave/', 'schemas/generated/', 'analysis/out/', 'tests/fixtures/', 'tests/recorded/'] },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Numbers in sentences and keys are fine; objects are not.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // `void work()` says that nobody waits; `() => void work()` is how a callback says it.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true, ignoreVoidOperator: true }],
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // `{}` is "no options" in the types of stages.
      '@typescript-eslint/no-empty-object-type': 'off',
      // Objects of ours are records of closures; `this` is nowhere used outside error classes.
      '@typescript-eslint/unbound-method': 'off',
      // process.env['X'] is what noPropertyAccessFromIndexSignature asks for, and marks a name that may be absent.
      '@typescript-eslint/dot-notation': 'off',
    },
  },
  {
    // The environment is read once, at a process's edge, and passed on as values.
    files: ['schemas/**/*.ts', 'shared/**/*.ts', 'services/**/*.ts'],
    // `exec` hands its tools the PATH; `runService` is every service's edge.
    ignores: ['**/main.ts', 'shared/tools/exec.ts', 'shared/runtime/service/service.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Configuration comes in as a value; only main.ts reads the environment.' },
      ],
    },
  },
  {
    files: ['tests/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      // expect.any() and its kin are typed any
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
    },
  },
  {
    files: ['**/*.mjs', '**/*.js'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
  },
);
