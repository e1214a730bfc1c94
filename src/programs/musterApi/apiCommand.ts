/** muster-api: makes, shows, changes and removes users of the HTTP service. It works on their file, whether the daemon runs or not. */
import { ClusterError } from '../../base/errors.js'
import { safeJson } from '../../base/escapeText.js'
import { limits } from '../../base/limits.js'
import { type ApiUser, usersPath } from '../../domain/api/apiUsers.js'
import { passwordHash } from '../../platform/api/passwordHash.js'
import { UserFile } from '../../platform/api/userFile.js'
import { realRandom } from '../../platform/machine/realRandom.js'
import { type ProgramOptions, runProgram } from '../kit/controlProgram.js'
import { type ApiArguments, parseApiArguments } from './apiArguments.js'
import { readPassword } from './readPassword.js'

const refused = (message: string): ClusterError => new ClusterError('argumentsInvalid', { message })

const listed = (users: readonly ApiUser[], isJson: boolean): string => {
  if (isJson) return `${safeJson({ items: users.map(({ name, role }) => ({ name, role })), total: users.length })}\n`
  if (users.length === 0) return 'There is no user: muster-api user add NAME makes one.\n'
  const width = Math.max(...users.map(({ name }) => name.length))
  return users.map(({ name, role }) => `${name.padEnd(width)}  ${role}\n`).join('')
}

const passwordOf = async ({ passwordFile }: ApiArguments, world: ProgramOptions): Promise<string> =>
  passwordHash(await readPassword(passwordFile, world), realRandom)

/** The users as they are afterwards, and what was done. */
const changed = async (given: Exclude<ApiArguments, { readonly action: 'list' }>, users: readonly ApiUser[], world: ProgramOptions) => {
  const { action, name } = given
  const known = users.find((user) => user.name === name)
  if (action === 'add') {
    if (known) throw refused(`There is a user '${name}' already: muster-api user password ${name} changes its password`)
    if (users.length >= limits.apiUsersMax) throw refused(`There are ${limits.apiUsersMax} users already`)
    const user: ApiUser = { name, role: given.role, password: await passwordOf(given, world) }
    return { users: [...users, user], says: `The user '${name}' (${given.role}) was added.` }
  }
  if (!known) throw refused(`There is no user '${name}' in ${usersPath}`)
  const others = users.filter((user) => user !== known)
  if (action === 'remove') return { users: others, says: `The user '${name}' was removed.` }
  const password = await passwordOf(given, world)
  return { users: users.map((user) => (user === known ? { ...user, password } : user)), says: `The password of '${name}' was changed.` }
}

/** Runs one command line (without the program's name); resolves with the exit code and never rejects. */
export const runMusterApi = (argv: readonly string[], world: ProgramOptions): Promise<number> =>
  runProgram<ApiArguments>(
    {
      parse: parseApiArguments,
      carryOut: async (given, { print }) => {
        const file = new UserFile(given.home)
        const users = await file.users()
        if (given.action === 'list') {
          await print([listed(users, given.json)])
          return 0
        }
        const change = await changed(given, users, world)
        await file.write(change.users)
        await print([given.json ? `${safeJson({ error: 0, message: change.says })}\n` : `${change.says}\n`])
        return 0
      },
    },
    argv,
    world,
  )
