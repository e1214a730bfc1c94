/** The HTTP service on a virtual clock, asked without a socket; its node answers what a spec says. */
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import { DeskAnswers } from '../../../src/actors/api/deskAnswers.js'
import { ClusterError } from '../../../src/base/errors.js'
import type { AgentCommand } from '../../../src/domain/agents/agentCommand.js'
import type { ApiUser } from '../../../src/domain/api/apiUsers.js'
import { hostAllowList } from '../../../src/domain/api/hostAllowList.js'
import type { NodeFigures } from '../../../src/domain/cluster/nodeFigures.js'
import type { AnswerLine } from '../../../src/domain/queries/answerLine.js'
import type { ClusterQuery } from '../../../src/domain/queries/clusterQuery.js'
import type { ApiListenerOptions } from '../../../src/platform/api/apiListener.js'
import { createApi } from '../../../src/platform/api/apiServer.js'
import type { PageFile } from '../../../src/platform/api/pageFiles.js'
import { realRandom } from '../../../src/platform/machine/realRandom.js'
import type { ApiOptions } from '../../../src/ports/api.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'

export const apiOptions: ApiOptions = {
  home: '/var/ossec',
  cluster: 'wazuh',
  node: 'master-node',
  type: 'master',
  version: '0.1.0',
  wazuhVersion: 'v4.14.7',
  configuration: { type: 'master', port: 1516, bindAddress: '0.0.0.0', nodes: ['wazuh-master'], hidden: false },
  requestMsMax: 10_000,
  agentsDisconnectionMs: 900_000,
  listening: [],
  address: '127.0.0.1',
  port: 55_000,
  certificatePath: undefined,
  keyPath: undefined,
  clientCaPath: undefined,
  hosts: ['muster.example'],
}

/** `correct horse battery`, cheap to hash. */
const password = 'scrypt$10$8$1$c2FsdHNhbHRzYWx0c2FsdA$fXnS5Awj6eMC-z1SbPBpyxEKbW7GHGyuCeVjw7IJSMI'
export const rightPassword = 'correct horse battery'

export const users: readonly ApiUser[] = [
  { name: 'alice', role: 'admin', password },
  { name: 'bob', role: 'read', password },
]

export type Answers = (request: ClusterQuery | AgentCommand) => Iterable<AnswerLine> | AsyncIterable<AnswerLine>

export interface ApiWorldOptions {
  readonly answers?: Answers
  readonly options?: Partial<ApiOptions>
  readonly page?: ReadonlyMap<string, PageFile>
  readonly figures?: () => Promise<NodeFigures>
}

export class ApiWorld {
  readonly clock = new VirtualClock()
  readonly lines: string[] = []
  readonly asked: (ClusterQuery | AgentCommand)[] = []
  users = users
  readonly given: ApiListenerOptions
  readonly app: FastifyInstance
  readonly answers: DeskAnswers

  constructor({
    answers = () => [],
    figures = () => Promise.reject(new ClusterError('requestFailed')),
    options = {},
    page = new Map(),
  }: ApiWorldOptions = {}) {
    this.answers = new DeskAnswers((request) => {
      this.asked.push(request)
      return iterated(answers(request))
    }, this.clock)
    const desk = this.answers
    this.given = {
      options: { ...apiOptions, ...options },
      clock: this.clock,
      random: realRandom,
      users: { users: async () => this.users },
      page,
      desk: {
        ask: (request) => desk.ask(request),
        next: (answer) => desk.next(answer),
        cancel: async (answer) => desk.cancel(answer),
        figures: () => figures(),
        log: async (level, message) => void this.lines.push(`${level}: ${message}`),
      },
    }
    const isHostAllowed = hostAllowList({ hosts: ['muster.example'], port: 55_000, scheme: 'http' })
    this.app = createApi({ ...this.given, tls: undefined, isHostAllowed })
  }

  /** Without a login. */
  ask(request: InjectOptions & { readonly url: string }): Promise<LightMyRequestResponse> {
    return this.app.inject({ ...request, headers: { host: '127.0.0.1:55000', ...request.headers } })
  }

  async login(user = 'alice', given = rightPassword): Promise<LightMyRequestResponse> {
    return this.ask({ method: 'POST', url: '/security/user/authenticate', headers: { authorization: basic(user, given) } })
  }

  /** As this user, with a token. */
  async get(url: string, user = 'alice'): Promise<LightMyRequestResponse> {
    const { data } = (await this.login(user)).json<{ data: { token: string } }>()
    return this.ask({ url, headers: { authorization: `Bearer ${data.token}` } })
  }
}

async function* iterated<T>(items: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T> {
  yield* items
}

export const basic = (user: string, given: string): string => `Basic ${Buffer.from(`${user}:${given}`).toString('base64')}`

export const tokenHeader = async (world: ApiWorld, user = 'alice'): Promise<{ readonly authorization: string }> => ({
  authorization: `Bearer ${(await world.login(user)).json<{ data: { token: string } }>().data.token}`,
})
