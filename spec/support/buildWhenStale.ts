/** Builds dist/, and the demo in dist-examples/, when a source is newer, so that the end-to-end specs never run old programs. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Of the newest file below the directory, and of the files that say how it is built. */
const newestMs = (directory: string, howBuilt: readonly string[]): number => {
  const sources = readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' }).map((path) => join(directory, path))
  return Math.max(...[...sources, 'tsconfig.json', 'package.json', ...howBuilt].map((path) => statSync(join(root, path)).mtimeMs))
}

/** The old files are overwritten, not deleted first: a daemon may be running from them. */
const build = (directory: string, built: string, howBuilt: readonly string[], command: string, ...options: readonly string[]): void => {
  const file = join(root, built)
  if (existsSync(file) && statSync(file).mtimeMs >= newestMs(directory, howBuilt)) return
  const { status, stderr, stdout } = spawnSync(command, options, { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${built} is older than ${directory}/ and cannot be built:\n${stdout}${stderr}`)
}

export const setup = (): void => {
  build('src', 'dist/cli/wazuh-clusterd.js', ['tsconfig.build.json', 'bundle.js'], 'npm', 'run', '-s', 'compile')
  build('examples', 'dist-examples/demo/demo.js', ['tsconfig.examples.json'], 'npx', 'tsc', '-p', 'tsconfig.examples.json', '--noCheck')
}
