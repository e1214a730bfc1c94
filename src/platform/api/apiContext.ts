/** What every route of the HTTP service has at hand. */
import type { FastifyRequest } from 'fastify'
import type { Role } from '../../domain/api/apiUsers.js'
import type { Sessions } from '../../domain/api/sessions.js'
import type { ApiDesk, ApiOptions } from '../../ports/api.js'
import type { Clock, LogLevel } from '../../ports/machine.js'
import type { Logins } from './logins.js'
import type { Tokens } from './tokens.js'
import type { UserStore } from './userFile.js'

/**
 * Who may call a route. `open`: anybody; `login`: a client that is about to log in; `local`: this machine, and everybody who is logged in;
 * `read` and `admin`: users of this role.
 */
export type Access = 'open' | 'login' | 'local' | Role

/** Who is logged in, and by what. */
export interface Caller {
  readonly name: string
  readonly role: Role
  readonly how: 'token' | 'session' | 'password'
  /** Of its password: a new one ends what it has open. */
  readonly fingerprint: string
  /** Of its session. */
  readonly session?: string
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** `read` when left out. */
    readonly access?: Access
  }
  interface FastifyRequest {
    caller: Caller | undefined
  }
}

export interface ApiContext {
  readonly options: ApiOptions
  readonly desk: ApiDesk
  readonly clock: Clock
  readonly users: UserStore
  readonly logins: Logins
  readonly tokens: Tokens
  readonly sessions: Sessions
  /** Answered requests by `PATTERN STATUS`, such as `/cluster/:node_id/info 200`. */
  readonly requests: ReadonlyMap<string, number>
  /** Over TLS. */
  readonly isSecure: boolean
  /** A line of the node's log; lines that the node cannot take are lost. */
  log(level: LogLevel, message: string): void
  /** Whether it came from this machine. */
  isLoopback(request: FastifyRequest): boolean
}
