#!/usr/bin/env -S node --initial-old-space-size=48 --max-semi-space-size=4
/**
 * The cluster daemon. All that it does is in clusterdMain.ts; here is the process around it. With the small heap that V8 begins
 * with, the buffers of a large transfer had it collected every 10 MB, at half of the daemon's CPU. Each thread of it has a young
 * generation of its own, which V8 lets grow to 48 MB under load.
 */
import { fileURLToPath } from 'node:url'

// Without a listener the one opens Node's debugger, to which every local user can connect, and the other ends the process. Before
// all that takes time to load.
for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => undefined)
const { main } = await import('../programs/clusterd/clusterdMain.js')
const { withLinkedHome } = await import('../programs/kit/linkedHome.js')

const code = await main(process.argv.slice(2), withLinkedHome(process.env, process.argv[1]), {
  stdout: process.stdout,
  stderr: process.stderr,
  script: fileURLToPath(import.meta.url),
  // Only when it is needed: `-t` and `-V` should not wait for the whole runtime to load.
  startDaemon: async (settings, options) => (await import('../daemon.js')).startDaemon(settings, options),
})
process.exit(code)
