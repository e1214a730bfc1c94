/** Logins by name and password: a few at the same time, the same work whether the user exists or not, and an address that guesses is refused. */

import { asClusterError } from '../../base/errors.js'
import { escapeText } from '../../base/escapeText.js'
import { fullStop } from '../../base/fullStop.js'
import { limits } from '../../base/limits.js'
import { LoginFailures } from '../../domain/api/addressCounts.js'
import { type ApiUser, isUserName } from '../../domain/api/apiUsers.js'
import { ApiRefusal, plainProblem, problems } from '../../domain/api/problem.js'
import type { Clock, LogLevel, Random } from '../../ports/machine.js'
import { isPasswordOf, passwordHash } from './passwordHash.js'
import type { UserStore } from './userFile.js'

export interface LoginsOptions {
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly random: Random
  readonly users: UserStore
  log(level: LogLevel, message: string): void
}

export class Logins {
  readonly #options: LoginsOptions
  readonly #failures = new LoginFailures()
  readonly #waiting: (() => void)[] = []
  #running = 0
  #dummy: Promise<string> | undefined

  constructor(options: LoginsOptions) {
    this.#options = options
  }

  /** Throws an ApiRefusal: 401 `Invalid credentials`, 403 for an address that guessed too often, 429. */
  async login(address: string, name: string, password: string): Promise<ApiUser> {
    const { clock, log } = this.#options
    if (this.#failures.isBlocked(address, clock.monotonicMs())) throw new ApiRefusal(problems.addressBlocked)
    await this.#turn()
    try {
      // Counted before it is known, so that guesses at the same time are not more than those one after the other.
      const isBlocked = this.#failures.failed(address, clock.monotonicMs())
      const user = await this.#checked(name, password)
      if (user) {
        this.#failures.succeeded(address)
        log('info', `User '${user.name}' (${user.role}) logged in from ${address}.`)
        return user
      }
      log('warning', `Login of user ${isUserName(name) ? `'${name}'` : 'with an impossible name'} from ${escapeText(address)} failed.`)
      if (isBlocked)
        log(
          'warning',
          `${limits.apiLoginFailuresMax} logins from ${escapeText(address)} failed: it is refused for ${limits.apiLoginBlockedMs / 1_000} s.`,
        )
      throw new ApiRefusal(plainProblem(401, 'Invalid credentials'))
    } finally {
      this.#running -= 1
      this.#waiting.shift()?.()
    }
  }

  async #checked(name: string, password: string): Promise<ApiUser | undefined> {
    const user = await this.#userOf(name)
    this.#dummy ??= passwordHash('', this.#options.random)
    const isRight =
      [...password].length <= limits.apiPasswordCharsMax && (await isPasswordOf(password, user?.password ?? (await this.#dummy)))
    return isRight ? user : undefined
  }

  async #userOf(name: string): Promise<ApiUser | undefined> {
    try {
      return (await this.#options.users.users()).find((user) => user.name === name)
    } catch (thrown) {
      this.#options.log('error', fullStop(asClusterError(thrown).message))
      return undefined
    }
  }

  async #turn(): Promise<void> {
    if (this.#running >= limits.apiLoginsAtOnceMax) {
      if (this.#waiting.length >= limits.apiLoginsWaitingMax) throw new ApiRefusal(problems.tooManyRequests, 'Too many logins are waiting')
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    this.#running += 1
  }
}
