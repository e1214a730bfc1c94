/** What a token says, with the claims of Wazuh's, and whether it still counts. */
import { type Static, Type } from 'typebox'
import { fields, list, type ReadonlyValue, text } from '../../base/fields.js'
import { parsedJson } from '../../base/json/parsedJson.js'
import { limits } from '../../base/limits.js'
import { shapeOf } from '../../base/shapeOf.js'
import { roles } from './apiUsers.js'

const claims = fields({
  iss: Type.Literal('wazuh'),
  aud: Type.Literal('Wazuh API REST'),
  /** Seconds since 1970. */
  nbf: Type.Integer(),
  exp: Type.Integer(),
  sub: text(limits.apiUserNameCharsMax, 1),
  run_as: Type.Literal(false),
  rbac_roles: list(Type.Enum([...roles]), 1),
  rbac_mode: Type.Literal('white'),
  /** Rises with each token: a logout names the last that it ends. */
  jti: Type.Integer({ minimum: 1 }),
  /** Of the user's password when it was issued: a new password ends it. */
  fingerprint: text(64, 1),
})

const shape = shapeOf(claims)

export type TokenClaims = ReadonlyValue<Static<typeof claims>>

/** Undefined when it is not what we issue. */
export const parseClaims = (json: string | Uint8Array): TokenClaims | undefined => {
  const parsed = parsedJson(json, shape, 'The token')
  return parsed.ok ? parsed.value : undefined
}

export const isExpired = ({ exp, nbf }: TokenClaims, nowMs: number): boolean => nowMs >= exp * 1_000 || nowMs < (nbf - 60) * 1_000
