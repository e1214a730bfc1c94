/** The tools that `npm run` starts, as a new user meets them. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { repository } from '../support/daemons.js'

const ran = (path: string, ...args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(repository, path), ...args], { encoding: 'utf8' })
  return { status, stdout, stderr }
}

describe.each(['dist-examples/demo/demo.js', 'dist/programs/simulate/simulateMain.js'])('%s', (path) => {
  it('shows its help and does nothing else', () => {
    const { status, stdout, stderr } = ran(path, '--help')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^Usage: npm run (demo|simulate) -- \[options\]\n/)
  })

  it('refuses what it does not know in one sentence', () =>
    expect(ran(path, '--wrong')).toEqual({ status: 1, stdout: '', stderr: "Wrong arguments: unknown option '--wrong'.\n" }))
})
