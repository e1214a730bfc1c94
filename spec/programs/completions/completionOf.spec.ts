/** Completions of every program of the package, in bash itself; zsh's by their text. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { Command, Option } from 'commander'
import { describe, expect, it } from 'vitest'
import { commandLines } from '../../../src/programs/completions/commandLines.js'
import { bashCompletion, zshCompletion } from '../../../src/programs/completions/completionOf.js'

/** What bash completes `word` to, after `before`. */
const completed = (program: Command, word: string, before: string): readonly string[] => {
  const call = `_${program.name().replaceAll('-', '_')} "$0" "$1" "$2"; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { status, stderr, stdout } = spawnSync('bash', ['-c', `${bashCompletion(program)}${call}`, program.name(), word, before], {
    encoding: 'utf8',
  })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return stdout.split('\n').filter((line) => line !== '')
}

it('there are completions of every program of the package', () => {
  const { bin } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { readonly bin: object }
  expect(
    commandLines()
      .map((program) => program.name())
      .sort(),
  ).toEqual(Object.keys(bin).sort())
})

describe.each(commandLines().map((program) => [program.name(), program] as const))('completions of %s', (_name, program) => {
  it('offer every option that its help shows, and no other', () => {
    const shown = program.createHelp().visibleOptions(program)
    const names = shown.flatMap(({ long, short }) => [long, short]).filter((name) => name !== undefined)
    expect([...completed(program, '-', program.name())].sort()).toEqual([...new Set(names)].sort())
    for (const { long } of shown) expect(zshCompletion(program)).toContain(`'*${long}[`)
  })
})

it.each([
  ['muster', 'install-into-manager'],
  ['wazuh-certs-tool', 'renew'],
])('of %s offer its actions', (name, action) => {
  const program = commandLines().find((known) => known.name() === name) ?? new Command()
  expect(completed(program, action.slice(0, 3), name)).toEqual([action])
  expect(zshCompletion(program)).toMatch(new RegExp(`'1:action:\\(.*\\b${action}\\b.*\\)'`))
})

it('complete choices and directories, and nothing where any text is meant', () => {
  const program = new Command('trial')
    .addOption(new Option('--cipher <cipher>', "an agent's [old]: one").choices(['aes', 'blowfish']))
    .addOption(new Option('--home <dir>', 'home'))
    .addOption(new Option('--name <text>', 'name'))
    .addOption(new Option('-i, --health [more]', 'health'))
  expect(completed(program, 'b', '--cipher')).toEqual(['blowfish'])
  expect(completed(program, '/et', '--home')).toEqual(['/etc'])
  expect(completed(program, '', '--name')).toEqual([])
  expect(completed(program, '--na', '-i')).toEqual(['--name'])
  expect(zshCompletion(program)).toContain("'*--cipher[an agent'\\''s \\[old\\]\\: one]:value:(aes blowfish)'")
})
