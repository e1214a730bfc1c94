/** The servers of an agent, in the order of its ossec.conf, and its times: what wazuh-agentd uses where nothing is written. */

export interface AgentServer {
  readonly host: string
  readonly port: number
  readonly protocol: 'tcp' | 'udp'
  /** Attempts to connect before the next server has its turn. */
  readonly maxRetries: number
  readonly retryIntervalMs: number
  /** Of the enrolment service there, where it is another one than that of all servers. */
  readonly enrolmentPort?: number
}

export interface AgentTimes {
  /** Between two keep-alives. */
  readonly notifyMs: number
  /** `time-reconnect`: without any control message for this long, and up to a second more, the server counts as gone. */
  readonly reconnectMs: number
  /** `agent.recv_timeout`: what an agent waits for the answer to its start-up. */
  readonly receiveMsMax: number
  /** What an agent waits with a new key before it connects. */
  readonly delayAfterEnrolmentMs: number
}

/** Of the source; the packaged ossec.conf has 10 s between two keep-alives. */
export const defaultAgentTimes: AgentTimes = {
  notifyMs: 20_000,
  reconnectMs: 60_000,
  receiveMsMax: 60_000,
  delayAfterEnrolmentMs: 20_000,
}

export const defaultAgentServer = { port: 1514, protocol: 'tcp', maxRetries: 5, retryIntervalMs: 10_000 } as const

/** Where and how an agent asks for a key. */
export interface AgentEnrolment {
  readonly isEnabled: boolean
  /** In place of the server's; undefined: the server's own. */
  readonly host: string | undefined
  readonly port: number
  readonly groups: readonly string[]
}

export const defaultAgentEnrolment: AgentEnrolment = { isEnabled: true, host: undefined, port: 1515, groups: [] }

/** What an agent is built with. */
export interface AgentSettings {
  /** At least one. */
  readonly servers: readonly AgentServer[]
  readonly times: AgentTimes
  readonly enrolment: AgentEnrolment
  readonly cipher: 'aes' | 'blowfish'
}
