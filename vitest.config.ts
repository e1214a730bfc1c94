import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  resolve: {
    alias: [
      { find: /^muster$/, replacement: source('./src/index.ts') },
      { find: /^muster\/testing$/, replacement: source('./src/testing.ts') },
    ],
  },
  test: {
    include: ['spec/**/*.spec.ts'],
    pool: 'forks',
    testTimeout: 60_000,
  },
})
