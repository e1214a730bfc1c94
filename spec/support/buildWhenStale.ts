/** Builds dist/ when a source is newer than it, so that the end-to-end specs never run yesterday's programs. */
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const built = join(root, 'dist/cli/wazuh-clusterd.js')

const newestMs = (): number => {
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).map((path) => join('src', path))
  return Math.max(...[...sources, 'tsconfig.json', 'tsconfig.build.json', 'package.json'].map((path) => statSync(join(root, path)).mtimeMs))
}

export const setup = (): void => {
  if (existsSync(built) && statSync(built).mtimeMs >= newestMs()) return
  // Written over what is there, not from nothing: somebody's daemon may be running out of it.
  const tsc = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
    cwd: root,
    encoding: 'utf8',
  })
  if (tsc.status !== 0) throw new Error(`dist/ is older than src/ and cannot be built:\n${tsc.stdout}${tsc.stderr}`)
  for (const program of readdirSync(join(root, 'dist/cli'))) if (program.endsWith('.js')) chmodSync(join(root, 'dist/cli', program), 0o755)
}
