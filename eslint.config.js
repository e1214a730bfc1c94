/** Only what biome cannot see: the rules about promises and switches that need types, one about machines, and one about the page. */
import tseslint from 'typescript-eslint'

/** What makes elements or code of a text. All names that the page shows are hostile. */
const textAsMarkup = '/^(innerHTML|outerHTML|insertAdjacentHTML|setHTMLUnsafe|parseHTMLUnsafe|createContextualFragment|srcdoc)$/'
const notAsMarkup = [
  ...['name', 'value'].map((part) => `MemberExpression[property.${part}=${textAsMarkup}]`),
  "CallExpression[callee.object.name='document'][callee.property.name=/^write(ln)?$/]",
  'NewExpression[callee.name=/^(DOMParser|Function)$/]',
  "CallExpression[callee.name='eval']",
].map((selector) => ({ selector, message: 'Show a text as a text, by elements.ts: nothing may become an element or code.' }))
const onlyEscaped = {
  selector: 'AssignmentExpression > MemberExpression.left[property.name=/^(textContent|innerText|nodeValue)$/]',
  message: 'Set a text by setText of elements.ts, which escapes what would hide it.',
}

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
            ":function:has(CallExpression[callee.name=/^(setup|periodicThread|servingThread|frontThread)$/]) > BlockStatement > VariableDeclaration[kind='let']",
          message: 'Keep what a machine decides by in its context: what its factory holds outlives a crash.',
        },
      ],
    },
  },
  {
    files: ['src/page/**/*.ts'],
    ignores: ['src/page/elements.ts'],
    rules: { 'no-restricted-syntax': ['error', ...notAsMarkup, onlyEscaped] },
  },
  {
    files: ['src/page/elements.ts'],
    rules: { 'no-restricted-syntax': ['error', ...notAsMarkup] },
  },
]
