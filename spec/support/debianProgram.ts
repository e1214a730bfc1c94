/** Programs of Debian that a test runs for real. Where one is missing the test is skipped, but never in CI. */
import { spawnSync } from 'node:child_process'

/** What `describe.skipIf` needs: true, with one sentence on stderr, when the program is not there. */
export const isMissing = (program: string, packages: string): boolean => {
  if (spawnSync('which', [program]).status === 0) return false
  if (process.env['CI']) throw new Error(`${program} is missing: .ci/run installs it (apt-get install ${packages})`)
  console.error(`Skipped: ${program} is not installed (apt-get install ${packages}).`)
  return true
}
