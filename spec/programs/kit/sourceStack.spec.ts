import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'rolldown'
import { describe, expect, it } from 'vitest'
import { sourceStack } from '../../../src/programs/kit/sourceStack.js'

const source = `interface Unused {
  readonly name: string
}

const fail = (): never => {
  throw new Error('a bug')
}
fail()
`

describe('the stack of a crash', () => {
  it('names the source and its line when the program is a bundle', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'muster-stack-'))
    try {
      writeFileSync(join(directory, 'package.json'), '{"type": "module"}')
      writeFileSync(join(directory, 'program.ts'), source)
      await build({
        cwd: directory,
        input: 'program.ts',
        output: { dir: join(directory, 'bundle'), sourcemap: true, sourcemapExcludeSources: true },
      })
      const { stderr } = spawnSync(process.execPath, [join(directory, 'bundle/program.js')], { encoding: 'utf8' })
      expect(stderr).not.toContain('program.ts')
      expect(sourceStack(stderr)).toMatch(/at fail \(program\.ts:6:9\)\n/)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  it('stays as it is where no map is', () => {
    const stack = 'Error: a bug\n    at fail (file:///nowhere/program.js:1:2)\n    at node:internal/main:1:1\n'
    expect(sourceStack(stack)).toBe(stack)
  })
})
