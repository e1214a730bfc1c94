/** A thread's program, compiled from the sources as they are now: threads cannot load TypeScript, and a dist/ may be older. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { withoutTypes } from './withoutTypes.js'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const neededByAny = [
  'base',
  'domain',
  'wire',
  'disk/kit',
  'disk/files',
  'platform/machine/nodeDisk.ts',
  'platform/machine/threadAnswer.ts',
  'platform/machine/threadTasks.ts',
  'ports',
]

/** A file, or all TypeScript below a folder. */
const sourcesIn = (path: string): string[] => {
  if (path.endsWith('.ts')) return [path]
  const entries = readdirSync(join(repository, path), { withFileTypes: true })
  return entries.flatMap((entry) => (entry.isDirectory() || entry.name.endsWith('.ts') ? sourcesIn(join(path, entry.name)) : []))
}

export interface CompiledWorker {
  readonly workerFile: URL
  dispose(): void
}

export const compileDiskWorker = (): CompiledWorker =>
  compileWorker('platform/files/diskWorker', [...neededByAny, 'platform/files/diskWorker.ts'])

export const compileAgentFilesWorker = (): CompiledWorker =>
  compileWorker('platform/agents/agentFilesWorker', [...neededByAny, 'disk/agents', 'platform/agents/agentFilesWorker.ts'])

/** `program` is a path below src/ without its ending; `needed` are the files and folders that it loads, itself included. */
export const compileWorker = (program: string, needed: readonly string[]): CompiledWorker =>
  compileProgram(
    `src/${program}`,
    needed.map((path) => `src/${path}`),
  )

/** The same with paths below the repository, for programs that only specs have. */
export const compileProgram = (program: string, needed: readonly string[]): CompiledWorker => {
  const directory = mkdtempSync(join(tmpdir(), 'muster-worker-'))
  for (const path of needed.flatMap(sourcesIn)) {
    const target = join(directory, path.replace(/\.ts$/, '.js'))
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, withoutTypes(join(repository, path)))
  }
  writeFileSync(join(directory, 'package.json'), '{"type": "module"}')
  symlinkSync(join(repository, 'node_modules'), join(directory, 'node_modules'))
  return { workerFile: pathToFileURL(join(directory, `${program}.js`)), dispose: () => rmSync(directory, { recursive: true }) }
}
