/** Programs of Debian that a test runs for real. Where one is missing the test is skipped, but never in CI. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** A file that nginx loads, of a package of its own. */
export const nginxStreamModule = '/usr/lib/nginx/modules/ngx_stream_module.so'

/**
 * What `describe.skipIf` needs: true, with one sentence on stderr, when the program, or a file that it loads, is not there.
 * @param files absolute paths
 */
export const isMissing = (program: string, packages: string, files: readonly string[] = []): boolean => {
  const missing = spawnSync('which', [program]).status === 0 ? files.find((file) => !existsSync(file)) : program
  if (missing === undefined) return false
  if (process.env['CI']) throw new Error(`${missing} is missing: .ci/run installs it (apt-get install ${packages})`)
  console.error(`Skipped: ${missing} is not installed (apt-get install ${packages}).`)
  return true
}
