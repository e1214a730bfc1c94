/** What the command lines of all programs have in common: options that are parsed or explained, mistakes in one sentence. */
import { type Command, CommanderError, Option } from 'commander'
import { limits } from '../limits.js'

/** Nothing is to be asked: print `text` and exit. */
export interface ArgumentsOutcome {
  readonly exitCode: number
  readonly text: string
}

/** What to do, or what to print instead. */
export type ParsedArguments<A> = { readonly given: A } | { readonly outcome: ArgumentsOutcome }

export interface CommonArguments {
  readonly debug: boolean
  readonly home: string
}

/** Of commander, as `withCommonOptions` makes them. */
export interface CommonOptions {
  readonly debug?: true
  readonly home?: string
}

export const defaultHome = '/var/ossec'
export const defaultHomeText = `$WAZUH_PATH, else the home in whose bin/ the program was called, else ${defaultHome}`

/** A sentence, and exit code 1. */
export const mistake = (sentence: string): { readonly outcome: ArgumentsOutcome } => ({
  outcome: { exitCode: 1, text: `Wrong arguments: ${sentence}\n` },
})

export const withCommonOptions = (command: Command, examples: string): Command =>
  command
    .addOption(new Option('--home <dir>', `home of the manager (default: ${defaultHomeText})`))
    .addOption(new Option('-d, --debug', 'show debug messages'))
    .helpOption('-h, --help', 'show this help')
    .addHelpText('after', `\nExamples:\n${examples}`)
    .exitOverride()

export const commonArguments = ({ debug, home }: CommonOptions, env: NodeJS.ProcessEnv): CommonArguments => ({
  debug: debug ?? false,
  home: home ?? (env['WAZUH_PATH'] || defaultHome),
})

/** The number of an agent's ID as operators write it; undefined when it is none. */
export const agentIdOf = (text: string): number | undefined => {
  const id = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  return id <= limits.agentIdMax ? id : undefined
}

/** The options that were given; the help or a sentence when they are not to be followed. */
export const parsedOptions = <O extends object>(command: Command, argv: readonly string[]): ParsedArguments<O> => {
  let text = ''
  command.configureOutput({
    writeOut: (part) => {
      text += part
    },
    writeErr: () => undefined,
  })
  try {
    command.parse([...argv], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? { outcome: { exitCode: 0, text } } : mistake(sentenceOf(error))
  }
  const wrong = wrongValueOf(command, argv)
  return wrong === undefined ? { given: command.opts<O>() } : mistake(wrong)
}

/** What commander has to say, as a sentence of ours. */
export const sentenceOf = ({ message }: CommanderError): string =>
  message
    .replace(/^error: /, '')
    .replaceAll('\n', ' ')
    .replace(/\.?$/, '.')

/** What is wrong with a value that commander took: it takes the next option for one when the value was forgotten. */
export const wrongValueOf = (command: Command, argv: readonly string[]): string | undefined => {
  for (const option of command.options.filter(({ required }) => required)) {
    const given: unknown = command.getOptionValue(option.attributeName())
    for (const value of Array.isArray(given) ? given : [given]) {
      if (value === '') return `${option.long} takes a value that is not empty.`
      if (typeof value === 'string' && value.startsWith('-') && argv.includes(value))
        return `${option.long} takes a value, and '${value}' looks like an option (if it is meant: ${option.long}=${value}).`
    }
  }
  return undefined
}
