/** The programs that new users run first: the demo and the example that embeds nodes. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ts from 'typescript'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isAlive, repository } from '../../support/daemons.js'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'muster-programs-'))
  mkdirSync(join(directory, 'tmp'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** Runs a program whose temporary files go into a directory of their own. */
const start = (args: readonly string[]) => {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, TMPDIR: join(directory, 'tmp') },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  const ended = once(child, 'close')
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  return {
    child,
    ended: async () => ({ code: (await ended)[0] as unknown, out }),
    said: (what: string): Promise<void> =>
      new Promise((resolve) => {
        const check = (): void => {
          if (!out.includes(what)) return
          child.stdout.off('data', check)
          resolve()
        }
        child.stdout.on('data', check)
        check()
      }),
  }
}

const left = (): readonly string[] => readdirSync(join(directory, 'tmp'))
const demo = join(repository, 'dist-examples/demo/demo.js')

describe('npm run demo', () => {
  it('shows all that it promises, ends by itself with 0, and leaves no file', async () => {
    const { code, out } = await start([demo]).ended()
    expect(out).not.toContain('✗')
    expect(code).toBe(0)
    for (const shown of [
      'was on both workers after',
      'on a worker was undone after',
      'never partial',
      'cluster_control -l',
      'cluster_control -i',
      'failed',
      'Summary',
    ])
      expect(out).toContain(shown)
    expect(left()).toEqual([])
  })

  it('cleans up at Ctrl-C: no file and no process is left', async () => {
    const running = start([demo, '--stay'])
    await running.said('1. Three daemons start')
    await running.said('✓')
    const [root = ''] = left()
    const pids = ['master', 'worker-1', 'worker-2'].flatMap((name) =>
      readdirSync(join(directory, 'tmp', root, name, 'var/run')).flatMap((file) => /-(\d+)\.pid$/.exec(file)?.[1] ?? []),
    )
    expect(pids).toHaveLength(3)
    running.child.kill('SIGINT')
    expect((await running.ended()).code).toBe(130)
    expect(left()).toEqual([])
    expect(pids.filter((pid) => isAlive(Number(pid)))).toEqual([])
  })
})

describe('examples/embed-a-node.ts', () => {
  it('runs as a program of its own against the built package', async () => {
    const source = readFileSync(join(repository, 'examples/embed-a-node.ts'), 'utf8')
    const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 }
    writeFileSync(join(directory, 'program.mjs'), ts.transpileModule(source, { compilerOptions }).outputText)
    mkdirSync(join(directory, 'node_modules'))
    symlinkSync(repository, join(directory, 'node_modules/muster'))
    const { code, out } = await start([join(directory, 'program.mjs')]).ended()
    expect(code).toBe(0)
    for (const line of [
      'master: listening',
      'master: workerJoined worker-1',
      'worker: connected',
      'worker: applied 2 files created',
      'node: worker-1 worker 127.0.0.1',
    ])
      expect(out).toContain(line)
    expect(left()).toEqual([])
  })
})
