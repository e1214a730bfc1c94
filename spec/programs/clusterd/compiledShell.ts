/**
 * The daemon's shell as a real program, with a daemon inside that does nothing: compiled from the sources as they are now
 * (a dist/ may be older), so that processes, signals and PID files are the real ones and the cluster is not in the way.
 */
import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withoutTypes } from '../../support/withoutTypes.js'

const repository = fileURLToPath(new URL('../../..', import.meta.url))
/** The shell, and what it imports of ours, values only, from there on. */
const sourcesFrom = (path: string, found = new Map<string, string>()): ReadonlyMap<string, string> => {
  if (found.has(path)) return found
  const code = withoutTypes(join(repository, 'src', path))
  found.set(path, code)
  for (const [, imported = ''] of code.matchAll(/^(?:import|export)\b[^'"]*['"](\.{1,2}\/[^'"]+)\.js['"]/gm))
    sourcesFrom(join(dirname(path), `${imported}.ts`), found)
  return found
}

/** What the daemon inside does is set by the environment variable `INSIDE`. */
const entry = `
import { fileURLToPath } from 'node:url'
import { main } from '../programs/clusterd/clusterdMain.js'
const inside = process.env.INSIDE
const startDaemon = async () => {
  if (inside === 'dies') process.exit(7)
  if (inside === 'refuses') throw new Error('no\\nport')
  if (inside === 'crashes') setTimeout(() => { throw new Error('a bug') }, 0)
  const alive = setInterval(() => {}, 1000)
  return { failed: new Promise(() => {}), stop: async () => clearInterval(alive) }
}
const { stdout, stderr } = process
process.exit(await main(process.argv.slice(2), process.env, { stdout, stderr, script: fileURLToPath(import.meta.url), startDaemon }))
`

/** Returns the directory to remove afterwards and the program's path. */
export const compileShell = (): { readonly directory: string; readonly program: string } => {
  const directory = mkdtempSync(join(tmpdir(), 'muster-shell-'))
  for (const [path, code] of sourcesFrom('programs/clusterd/clusterdMain.ts')) {
    const target = join(directory, 'dist', path.replace(/\.ts$/, '.js'))
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, code)
  }
  const program = join(directory, 'dist/cli/wazuh-clusterd.js')
  mkdirSync(dirname(program), { recursive: true })
  writeFileSync(program, entry)
  writeFileSync(
    join(directory, 'package.json'),
    '{"name": "muster", "type": "module", "version": "0.0.0", "exports": {"./package.json": "./package.json"}}',
  )
  symlinkSync(join(repository, 'node_modules'), join(directory, 'node_modules'))
  return { directory, program }
}
