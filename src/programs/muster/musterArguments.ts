/** The command line of muster. */
import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import {
  type CommonArguments,
  type CommonOptions,
  commonArguments,
  helpOf,
  type ParsedArguments,
  parsedOptions,
  withCommonOptions,
  wordsArgument,
} from '../kit/commandLine.js'

export const actions = ['install-into-manager', 'uninstall', 'status'] as const

export interface MusterArguments extends CommonArguments {
  readonly action: (typeof actions)[number]
  readonly isDryRun: boolean
  /** Nobody is asked. */
  readonly isAgreed: boolean
  readonly stayRoot: boolean
}

interface Options extends CommonOptions {
  readonly dryRun?: true
  readonly yes?: true
  readonly root?: true
}

const examples = `  muster install-into-manager --dry-run
  muster install-into-manager
  muster status
  muster uninstall --yes`

export const musterCommandLine = (): Command =>
  withCommonOptions(
    new Command('muster')
      .description('Replaces wazuh-clusterd with Muster in the home of a Wazuh manager, and undoes it.')
      .usage('install-into-manager|uninstall|status [options]')
      .addArgument(wordsArgument(actions))
      .addOption(new Option('--dry-run', 'print what would be done, and do nothing'))
      .addOption(new Option('-y, --yes', 'do it without asking'))
      .addOption(new Option('-r, --root', 'when installing: the daemon keeps running as root, for trials')),
    examples,
  )

const isAction = (text: string): text is MusterArguments['action'] => (actions as readonly string[]).includes(text)

export const parseMusterArguments = (argv: readonly string[], env: NodeJS.ProcessEnv): ParsedArguments<MusterArguments> => {
  const command = musterCommandLine()
  const parsed = parsedOptions<Options>(command, argv)
  if (!('given' in parsed)) return parsed
  const { dryRun, root, yes, ...options } = parsed.given
  const common = commonArguments(options, env)
  const mistake = (sentence: string) => ({ mistake: sentence, json: common.json })
  const [action, ...rest] = command.args
  if (action === undefined) return { shown: helpOf(musterCommandLine()) }
  if (!isAction(action)) return mistake(`'${action}' is not one of ${actions.join(', ')}.`)
  if (rest.length > 0) return mistake(`${action} takes options only, not '${rest[0]}'.`)
  if (/[\n\r]/.test(common.home)) return mistake('--home has a line break.')
  return {
    given: { ...common, home: resolve(common.home), action, isDryRun: dryRun ?? false, isAgreed: yes ?? false, stayRoot: root ?? false },
  }
}
