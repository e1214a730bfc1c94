import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const withProcesses = 'spec/e2e/**/*.spec.ts'

export default defineConfig({
  resolve: {
    alias: [
      { find: /^muster$/, replacement: source('./src/index.ts') },
      { find: /^muster\/testing$/, replacement: source('./src/testing.ts') },
    ],
  },
  test: {
    pool: 'forks',
    testTimeout: 60_000,
    // Some compile a worker before they begin.
    hookTimeout: 60_000,
    setupFiles: ['spec/support/propertyLimits.ts', 'spec/support/tlsBeforeCertificates.ts'],
    projects: [
      // Specs share the modules of their process: to import src/ and its packages for each would take a third of their time.
      {
        extends: true,
        test: {
          name: 'sources',
          isolate: false,
          maxWorkers: 2,
          include: ['spec/**/*.spec.ts', 'examples/**/*.spec.ts'],
          exclude: [withProcesses],
        },
      },
      // Real daemons out of dist/, which is built when it is older than src/. They come last, when the processors are theirs.
      {
        extends: true,
        test: {
          name: 'processes',
          // They wait more than they work.
          maxWorkers: 3,
          include: ['spec/e2e/*.spec.ts'],
          globalSetup: ['spec/support/buildWhenStale.ts'],
          sequence: { groupOrder: 1 },
        },
      },
      // Those of them that take longest.
      {
        extends: true,
        test: {
          name: 'longProcesses',
          maxWorkers: 3,
          include: ['spec/e2e/long/*.spec.ts'],
          globalSetup: ['spec/support/buildWhenStale.ts'],
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
