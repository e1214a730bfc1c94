/** What the command lines of all programs have in common: options that are parsed or explained, mistakes in one sentence. */
import { Argument, type Command, CommanderError, Option } from 'commander'
import { limits } from '../../base/limits.js'
import { productVersion } from '../../version.js'

/** What to do, or the text to print instead, or a sentence that says what is wrong. */
export type ParsedArguments<A> = { readonly given: A } | { readonly shown: string } | { readonly mistake: string; readonly json: boolean }

export interface CommonArguments {
  readonly debug: boolean
  readonly home: string
  readonly json: boolean
}

/** Of commander, as `withCommonOptions` makes them. */
export interface CommonOptions {
  readonly debug?: true
  readonly home?: string
  readonly json?: true
}

export const defaultHome = '/var/ossec'
export const defaultHomeText = `$WAZUH_PATH, else the home in whose bin/ the program was called, else ${defaultHome}`

export const withCommonOptions = (command: Command, examples: string): Command =>
  command
    .version(`${command.name()} ${productVersion} (Muster)`, '-V, --version', 'print the version of this program')
    .addOption(new Option('-j, --json', 'print JSON, errors too'))
    .addOption(new Option('--home <dir>', `home of the manager (default: ${defaultHomeText})`))
    .addOption(new Option('-d, --debug', 'show debug messages'))
    .helpOption('-h, --help', 'show this help')
    .addHelpText('after', `\nExamples:\n${examples}`)
    .exitOverride()

/** The words of a command line that begins with one of these. Shells complete them; the program says what is wrong with another. */
export const wordsArgument = (first: readonly string[]): Argument => new Argument('[words...]').choices(first).argParser((word) => word)

export const commonArguments = ({ debug, home, json }: CommonOptions, env: NodeJS.ProcessEnv): CommonArguments => ({
  debug: debug ?? false,
  json: json ?? false,
  home: home ?? (env['WAZUH_PATH'] || defaultHome),
})

/** The number of an agent's ID as operators write it; undefined when it is not valid. */
export const agentIdOf = (text: string): number | undefined => {
  const id = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  return id <= limits.agentIdMax ? id : undefined
}

/** Options with several letters after one dash are Wazuh's; commander has none. `long` has their long names. */
export const withLongNames = (argv: readonly string[], long: Readonly<Record<string, string>>): readonly string[] => {
  const end = argv.indexOf('--')
  return argv.map((argument, at) => {
    const [flag = '', ...values] = argument.split('=')
    const name = end >= 0 && at > end ? undefined : long[flag]
    return name === undefined ? argument : [name, ...values].join('=')
  })
}

/** As Python's argparse takes options, too: by a beginning that only one of them has (`--rem`), and with `-i=1`. */
export const spelledOut = (command: Command, argv: readonly string[]): readonly string[] => {
  const end = argv.indexOf('--')
  const names = ['--help', ...command.options.flatMap(({ long }) => long ?? [])]
  return argv.flatMap((argument, at) => {
    if (end >= 0 && at >= end) return argument
    const [, short, shortValue] = /^(-[A-Za-z])=(.*)$/s.exec(argument) ?? []
    if (short !== undefined && shortValue !== undefined) return [short, shortValue]
    const [, begun, value = ''] = /^(--[^=]+)(=.*)?$/s.exec(argument) ?? []
    if (begun === undefined || names.includes(begun)) return argument
    const [name, ...others] = names.filter((known) => known.startsWith(begun))
    return name !== undefined && others.length === 0 ? `${name}${value}` : argument
  })
}

/** The options that were given; the help or a sentence when they are not to be followed. */
export const parsedOptions = <O extends object>(command: Command, argv: readonly string[]): ParsedArguments<O> => {
  let text = ''
  // Options behind a mistake are not parsed any more.
  const mistake = (sentence: string) => ({
    mistake: sentence,
    json: command.getOptionValue('json') === true || argv.includes('-j') || argv.includes('--json'),
  })
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
    return error.exitCode === 0 ? { shown: text } : mistake(sentenceOf(error))
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

/** With the examples. */
export const helpOf = (command: Command): string => {
  let text = ''
  command.configureOutput({
    writeOut: (part) => {
      text += part
    },
  })
  command.outputHelp()
  return text
}

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
