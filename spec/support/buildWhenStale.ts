/** Builds dist/, and the demo in dist-examples/, when a source is newer, so that the end-to-end specs never run yesterday's programs. */
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Of the newest file below the directory, and of the files that say how it is built. */
const newestMs = (directory: string, project: string): number => {
  const sources = readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' }).map((path) => join(directory, path))
  return Math.max(...[...sources, 'tsconfig.json', project, 'package.json'].map((path) => statSync(join(root, path)).mtimeMs))
}

/** Written over what is there, not from nothing: somebody's daemon may be running out of it. */
const build = (directory: string, built: string, project: string, ...options: readonly string[]): void => {
  const file = join(root, built)
  if (existsSync(file) && statSync(file).mtimeMs >= newestMs(directory, project)) return
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const { status, stderr, stdout } = spawnSync(process.execPath, [tsc, '-p', project, ...options], { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${built} is older than ${directory}/ and cannot be built:\n${stdout}${stderr}`)
}

export const setup = (): void => {
  build('src', 'dist/cli/wazuh-clusterd.js', 'tsconfig.build.json')
  for (const program of readdirSync(join(root, 'dist/cli'))) if (program.endsWith('.js')) chmodSync(join(root, 'dist/cli', program), 0o755)
  build('examples', 'dist-examples/demo/demo.js', 'tsconfig.examples.json', '--noCheck')
}
