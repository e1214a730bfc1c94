/** The command line of muster-api. */
import { Command, Option } from 'commander'
import { isUserName, type Role, roles, userNameAllowed } from '../../domain/api/apiUsers.js'
import {
  type CommonArguments,
  type CommonOptions,
  commonArguments,
  helpOf,
  type ParsedArguments,
  parsedOptions,
  withCommonOptions,
} from '../kit/commandLine.js'

export type ApiArguments = CommonArguments & { readonly passwordFile?: string } & (
    | { readonly action: 'list' }
    | { readonly action: 'add'; readonly name: string; readonly role: Role }
    | { readonly action: 'remove' | 'password'; readonly name: string }
  )

interface Options extends CommonOptions {
  readonly role?: Role
  readonly passwordFile?: string
}

const examples = `  muster-api user add alice --role admin
  muster-api user add exporter --password-file /root/exporter.password
  muster-api user list
  muster-api user password alice
  muster-api user remove alice`

export const apiCommandLine = (): Command =>
  withCommonOptions(
    new Command('muster-api')
      .description('Manages the users of the HTTP service (API, metrics, page). A change takes effect at once in the running service.')
      .usage('user add|list|remove|password [NAME] [options]')
      .argument('[words...]')
      .addOption(new Option('--role <role>', 'what a new user may do').choices(roles).default('read'))
      .addOption(new Option('--password-file <file>', 'take the first line of this file as the password instead of asking')),
    examples,
  )

export const parseApiArguments = (argv: readonly string[], env: NodeJS.ProcessEnv): ParsedArguments<ApiArguments> => {
  const command = apiCommandLine()
  const parsed = parsedOptions<Options>(command, argv)
  if (!('given' in parsed)) return parsed
  const { passwordFile, role = 'read', ...common } = parsed.given
  const given = { ...commonArguments(common, env), ...(passwordFile !== undefined && { passwordFile }) }
  const mistake = (sentence: string) => ({ mistake: sentence, json: given.json })
  const [object, action, name, ...rest] = command.args
  if (object === undefined) return { shown: helpOf(apiCommandLine()) }
  if (object !== 'user') return mistake(`'${object}' is not one of user.`)
  if (action === 'list') return name === undefined ? { given: { ...given, action } } : mistake('user list takes no name.')
  if (action !== 'add' && action !== 'remove' && action !== 'password')
    return mistake(`user ${action ?? ''}: must be add, list, remove or password.`)
  if (name === undefined) return mistake(`user ${action} takes the name of the user.`)
  if (rest.length > 0) return mistake(`user ${action} takes one name.`)
  if (action === 'add' && !isUserName(name)) return mistake(`'${name}' is not a user's name: must be ${userNameAllowed}.`)
  return { given: action === 'add' ? { ...given, action, name, role } : { ...given, action, name } }
}
