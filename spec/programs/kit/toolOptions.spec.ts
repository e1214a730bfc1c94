import { describe, expect, it } from 'vitest'
import { benchCommand, soakCommand } from '../../../bench/toolCommands.js'
import { parsedOptions } from '../../../src/programs/kit/commandLine.js'
import { numberArgument, toolCommand } from '../../../src/programs/kit/toolOptions.js'

const someTool = () => toolCommand('tool', 'Does a thing.').option('--count <number>', 'how often', numberArgument(1, 9, true), 3)

describe.each([
  ['bench', benchCommand],
  ['soak', soakCommand],
  ['tool', someTool],
] as const)('the tool %s', (name, command) => {
  it('explains itself with --help, and how npm runs it', () => {
    const parsed = parsedOptions(command(), ['--help'])
    const text = 'shown' in parsed ? parsed.shown : ''
    expect(text).toContain(`Usage: npm run ${name} -- [options]`)
    for (const { long } of command().options) expect(text).toContain(long)
  })

  it('refuses an option that it does not have in one sentence', () =>
    expect(parsedOptions(command(), ['--wrong'])).toEqual({ mistake: "unknown option '--wrong'.", json: false }))
})

describe('an option of a tool', () => {
  it.each([
    [soakCommand(), ['--minutes', 'ten'], "option '--minutes <count>' argument 'ten' is invalid. Allowed is a number from 0.01 to 100000."],
    [someTool(), ['--count', '2.5'], "option '--count <number>' argument '2.5' is invalid. Allowed is a whole number from 1 to 9."],
    [benchCommand(), ['--only', '('], "option '--only <regex>' argument '(' is invalid. Allowed is a regular expression."],
    [benchCommand(), ['--json'], "option '--json <file>' argument missing."],
  ] as const)('that is wrong is named with what is allowed', (command, argv, sentence) =>
    expect(parsedOptions(command, argv)).toMatchObject({ mistake: sentence }),
  )

  it('has its value, or its default', () => {
    expect(parsedOptions(soakCommand(), ['--minutes', '0.5'])).toEqual({ given: { minutes: 0.5, seed: '1' } })
    expect(parsedOptions(benchCommand(), ['--only', 'Sync'])).toEqual({ given: { only: /Sync/i } })
  })
})
