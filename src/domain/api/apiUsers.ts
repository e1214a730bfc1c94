/** The users of the HTTP service, as the text of their file: names, roles and hashes of passwords. */
import { type Static, Type } from 'typebox'
import { type Result, refuse } from '../../base/errors.js'
import { fields, list, type ReadonlyValue } from '../../base/fields.js'
import { parsedJson } from '../../base/json/parsedJson.js'
import { limits } from '../../base/limits.js'
import { shapeOf } from '../../base/shapeOf.js'

/** Relative to the home. */
export const usersPath = 'etc/muster-api-users.json'

export const roles = ['read', 'admin'] as const
export type Role = (typeof roles)[number]

const userNamePattern = `^[A-Za-z0-9_.@-]{1,${limits.apiUserNameCharsMax}}$`

const user = fields({
  name: Type.String({ pattern: userNamePattern }),
  role: Type.Enum([...roles]),
  /** `scrypt$LOG2N$R$P$SALT$HASH`, the last two in base64url. */
  password: Type.String({ pattern: '^scrypt\\$1[0-8]\\$(8|16)\\$[1-4]\\$[A-Za-z0-9_-]{22,86}\\$[A-Za-z0-9_-]{43,86}$' }),
})

const users = shapeOf(fields({ users: list(user, limits.apiUsersMax) }))

export type ApiUser = ReadonlyValue<Static<typeof user>>

export const userNameAllowed = `1 to ${limits.apiUserNameCharsMax} letters, digits or one of _ . @ -`
export const isUserName = (text: string): boolean => new RegExp(userNamePattern).test(text)

export const passwordAllowed = `${limits.apiPasswordCharsMin} to ${limits.apiPasswordCharsMax} characters on one line`
export const isPassword = (text: string): boolean =>
  [...text].length >= limits.apiPasswordCharsMin && [...text].length <= limits.apiPasswordCharsMax && !/[\p{Cc}\p{Cs}]/u.test(text)

/** Refuses with `malformed`. */
export const parseUsers = (json: string): Result<readonly ApiUser[]> => {
  const parsed = parsedJson(json, users, 'The file of users', 'is not one that muster-api writes')
  if (!parsed.ok) return parsed
  const given: readonly ApiUser[] = parsed.value.users
  const isRepeated = new Set(given.map(({ name }) => name)).size < given.length
  return isRepeated ? refuse('malformed', { message: 'The file of users has a name twice' }) : { ok: true, value: given }
}

export const usersText = (given: readonly ApiUser[]): string => `${JSON.stringify({ users: given }, null, 2)}\n`
