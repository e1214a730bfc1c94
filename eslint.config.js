/** Only what biome cannot see: the rules about promises and switches that need types, and one about machines. */
import tseslint from 'typescript-eslint'

export default [
  { ignores: ['dist/', 'dist-bench/', 'dist-examples/', '**/*.js', '**/*.cjs', 'vitest.config.ts'] },
  {
    files: ['**/*.ts'],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { '@typescript-eslint': tseslint.plugin },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    files: ['src/actors/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector:
            ":function:has(CallExpression[callee.name=/^(setup|periodicThread|servingThread)$/]) > BlockStatement > VariableDeclaration[kind='let']",
          message: 'Keep what a machine decides by in its context: what its factory holds outlives a crash.',
        },
      ],
    },
  },
]
