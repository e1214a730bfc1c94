/** Bearer tokens: JWT by HMAC with a key that is made at the start, so that a restart ends all of them. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { limits } from '../../base/limits.js'
import type { ApiUser } from '../../domain/api/apiUsers.js'
import { ApiRefusal, plainProblem } from '../../domain/api/problem.js'
import { isExpired, parseClaims, type TokenClaims } from '../../domain/api/tokenClaims.js'
import type { Clock, Random } from '../../ports/machine.js'
import { fingerprintOf } from './passwordHash.js'

const header = Buffer.from(JSON.stringify({ alg: 'HS256', typ: 'JWT' })).toString('base64url')
const keyBytes = 32

const invalid = (): ApiRefusal => new ApiRefusal(plainProblem(401, 'Invalid token'))

export class Tokens {
  readonly #clock: Pick<Clock, 'now'>
  readonly #key: Uint8Array
  #issued = 0
  /** Of users, the last token that does not count any more. */
  readonly #endedUpTo = new Map<string, number>()

  constructor(clock: Pick<Clock, 'now'>, random: Random) {
    this.#clock = clock
    this.#key = random.bytes(keyBytes)
  }

  issue(user: ApiUser): string {
    const nbf = Math.floor(this.#clock.now() / 1_000)
    const claims: TokenClaims = {
      ...{ iss: 'wazuh', aud: 'Wazuh API REST', nbf, exp: nbf + limits.apiTokenMs / 1_000, sub: user.name },
      ...{ run_as: false, rbac_roles: [user.role], rbac_mode: 'white', jti: ++this.#issued, fingerprint: fingerprintOf(user) },
    }
    const signed = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
    return `${signed}.${this.#signature(signed).toString('base64url')}`
  }

  /** The user of a token that counts. Throws an ApiRefusal: 401 `Invalid token`, `Token expired`. */
  userOf(token: string, users: readonly ApiUser[]): ApiUser {
    const [head = '', body = '', signature = ''] = token.split('.')
    const given = Buffer.from(signature, 'base64url')
    const wanted = this.#signature(`${head}.${body}`)
    if (head !== header || given.length !== wanted.length || !timingSafeEqual(given, wanted)) throw invalid()
    const claims = parseClaims(Buffer.from(body, 'base64url'))
    if (!claims) throw invalid()
    if (isExpired(claims, this.#clock.now())) throw new ApiRefusal(plainProblem(401, 'Token expired'))
    const user = users.find(({ name }) => name === claims.sub)
    if (!user || fingerprintOf(user) !== claims.fingerprint || claims.jti <= (this.#endedUpTo.get(user.name) ?? 0)) throw invalid()
    return user
  }

  /** All that a user has. */
  endOf(user: string): void {
    this.#endedUpTo.set(user, this.#issued)
  }

  #signature(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest()
  }
}
