/** The command line of wazuh-clusterd. */
import { resolve } from 'node:path'
import { Command, CommanderError } from 'commander'
import type { LogLevel } from '../../ports/machine.js'
import { productVersion } from '../../version.js'
import { defaultHome, defaultHomeText, sentenceOf, wrongValueOf } from '../kit/commandLine.js'

export interface ClusterdArguments {
  /** Absolute. */
  readonly home: string
  /** Absolute; etc/ossec.conf of the home when left out. */
  readonly file?: string
  readonly test: boolean
  readonly foreground: boolean
  readonly stayRoot: boolean
  /** Where it was asked for; else a manager's internal options decide. */
  readonly level?: LogLevel
}

interface Output {
  readonly out: (text: string) => void
  /** Takes one sentence. */
  readonly err: (sentence: string) => void
}

const example = `
Examples:
  wazuh-clusterd                         start in the background, with the home /var/ossec
  wazuh-clusterd --home /srv/manager -t  test the configuration of another home
  wazuh-clusterd -f -d                   stay in the foreground and log more
`

interface Flags {
  readonly home?: string
  readonly config?: string
  readonly test?: true
  readonly foreground?: true
  readonly root?: true
  readonly debug: number
}

const levelOf = (debug: number): LogLevel => (debug === 1 ? 'debug' : 'debug2')

export const clusterdCommandLine = (): Command =>
  new Command('wazuh-clusterd')
    .description('Keeps the files of all Wazuh managers in a cluster identical.')
    .option('--home <dir>', `home of the manager (default: ${defaultHomeText})`)
    .option('-c, --config <file>', 'configuration file (default: etc/ossec.conf of the home)')
    .option('-t, --test', 'test the configuration and exit: 0 when it is valid, 1 when not')
    .option('-f, --foreground', 'stay in the foreground; the log goes to the standard output too')
    .option('-d, --debug', 'log more; twice (-dd) even more', (_, times: number) => times + 1, 0)
    .option('-r, --root', 'keep running as root')
    .version(`wazuh-clusterd ${productVersion} (Muster)`, '-V, --version', 'print the version and exit')
    .helpOption('-h, --help', 'print this help and exit')
    .addHelpText('after', example)
    .allowExcessArguments(false)
    .exitOverride()

/** What is asked for; or the exit code when the command line was all there is to do (`-h`, `-V`, a mistake). */
export const parseClusterdArguments = (
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  { out, err }: Output,
): ClusterdArguments | number => {
  const refused = (sentence: string): number => {
    err(`Wrong arguments: ${sentence}`)
    return 1
  }
  const command = clusterdCommandLine().configureOutput({ writeOut: out, writeErr: () => undefined })
  try {
    command.parse([...argv], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? 0 : refused(sentenceOf(error))
  }
  const wrong = wrongValueOf(command, argv)
  if (wrong !== undefined) return refused(wrong)
  const flags = command.opts<Flags>()
  return {
    home: resolve(flags.home ?? (env['WAZUH_PATH'] || defaultHome)),
    ...(flags.config === undefined ? {} : { file: resolve(flags.config) }),
    test: flags.test ?? false,
    foreground: flags.foreground ?? false,
    stayRoot: flags.root ?? false,
    ...(flags.debug > 0 && { level: levelOf(flags.debug) }),
  }
}

/** The same request once more, for the background child: every path absolute, whatever the environment says. */
export const childArguments = (asked: ClusterdArguments): string[] => [
  '--home',
  asked.home,
  ...(asked.file === undefined ? [] : ['-c', asked.file]),
  ...(asked.stayRoot ? ['-r'] : []),
  ...(asked.level === 'debug2' ? ['-dd'] : asked.level === 'debug' ? ['-d'] : []),
]
