/** The `<client>` block of an agent's ossec.conf, as wazuh-agentd reads it: its servers in their order, its times, its enrolment. */
import { type Result, refuse } from '../base/errors.js'
import {
  type AgentEnrolment,
  type AgentServer,
  type AgentSettings,
  type AgentTimes,
  defaultAgentEnrolment,
  defaultAgentServer,
  defaultAgentTimes,
} from '../domain/fleet/agentServer.js'
import { MalformedXml, type Tag, tagsOf, withoutHidden } from './ossec/xmlTags.js'

/** A text inside `<client>`, with the elements around it: `server/address`. A new `<server>` begins at each `server` of its own. */
interface ClientOption {
  readonly path: string
  readonly text: string
}

const secondsMax = 2 ** 31 / 1_000

/** Every option inside the `<client>`s, in order. Other blocks are stepped over, whatever is in them. */
const clientOptions = (text: string): readonly ClientOption[] => {
  const effort = { chars: 0 }
  const options: ClientOption[] = []
  const open: Tag[] = []
  const visible = withoutHidden(text, effort)
  for (const tag of tagsOf(visible, effort)) {
    const isInClient = open[1]?.name === 'client' || (open.length === 1 && tag.name === 'client')
    if (!isInClient && open.length > 1 && tag.name !== open[1]?.name) continue
    if (tag.kind === 'open') {
      open.push(tag)
      if (isInClient && open.length === 3 && tag.name === 'server') options.push({ path: tag.name, text: '' })
      continue
    }
    if (tag.kind === 'empty') continue
    const opened = open.pop()
    if (opened?.name !== tag.name) throw new MalformedXml(tag.at, `</${tag.name}> stands where </${opened?.name ?? 'nothing'}> is expected`)
    if (!isInClient || open.length < 2) continue
    const path = [...open.slice(2), opened].map(({ name }) => name).join('/')
    options.push({ path, text: visible.slice(opened.end, tag.at).trim() })
  }
  return options
}

class ClientReader {
  readonly #mistakes: string[] = []
  readonly servers: AgentServer[] = []
  #server: Partial<{ -readonly [F in keyof AgentServer]: AgentServer[F] }> | undefined
  times: AgentTimes = { ...defaultAgentTimes }
  enrolment: AgentEnrolment = { ...defaultAgentEnrolment }
  cipher: AgentSettings['cipher'] = 'aes'

  get mistakes(): readonly string[] {
    return this.#mistakes
  }

  read(options: readonly ClientOption[]): void {
    for (const { path, text } of options) this.#option(path, text)
    this.#endServer()
    if (this.servers.length === 0) this.#mistakes.push('<client> names no <server> with an <address>')
    // As wazuh-agentd: a server counts as gone only after several keep-alives.
    if (this.times.reconnectMs <= this.times.notifyMs) this.times = { ...this.times, reconnectMs: 3 * this.times.notifyMs }
  }

  #option(path: string, text: string): void {
    switch (path) {
      case 'server':
        // Both the beginning of a server and, with what was inside it as its text, its end.
        this.#endServer()
        this.#server = {}
        return
      case 'server/address':
      case 'server-ip':
      case 'server-hostname':
        if (path !== 'server/address') this.#endServer()
        this.#setServer({ host: text })
        return
      case 'server/port':
        this.#setServer({ port: this.#number(path, text, 1, 65_535) ?? defaultAgentServer.port })
        return
      case 'server/protocol':
        if (text === 'tcp' || text === 'udp') this.#setServer({ protocol: text })
        else this.#mistakes.push(`<client><server><protocol> is '${text}': must be tcp or udp`)
        return
      case 'server/max_retries':
        this.#setServer({ maxRetries: this.#number(path, text, 1, 1_000_000) ?? defaultAgentServer.maxRetries })
        return
      case 'server/retry_interval':
        this.#setServer({ retryIntervalMs: this.#milliseconds(path, text) ?? defaultAgentServer.retryIntervalMs })
        return
      default:
        this.#otherOption(path, text)
    }
  }

  #otherOption(path: string, text: string): void {
    const { enrolment, times } = this
    switch (path) {
      case 'notify_time':
        this.times = { ...times, notifyMs: this.#milliseconds(path, text) ?? times.notifyMs }
        return
      case 'time-reconnect':
        this.times = { ...times, reconnectMs: this.#milliseconds(path, text) ?? times.reconnectMs }
        return
      case 'crypto_method':
        if (text === 'aes' || text === 'blowfish') this.cipher = text
        else this.#mistakes.push(`<client><crypto_method> is '${text}': must be aes or blowfish`)
        return
      case 'enrollment/enabled':
        this.enrolment = { ...enrolment, isEnabled: text === 'yes' }
        return
      case 'enrollment/manager_address':
        this.enrolment = { ...enrolment, host: text === '' ? undefined : text }
        return
      case 'enrollment/port':
        this.enrolment = { ...enrolment, port: this.#number(path, text, 1, 65_535) ?? enrolment.port }
        return
      case 'enrollment/groups':
        this.enrolment = { ...enrolment, groups: text.split(',').filter((group) => group !== '') }
        return
      case 'enrollment/delay_after_enrollment':
        this.times = { ...times, delayAfterEnrolmentMs: this.#milliseconds(path, text, 0) ?? times.delayAfterEnrolmentMs }
        return
      default:
      // wazuh-agentd has more options; they change nothing of what these agents do.
    }
  }

  #setServer(fields: Partial<AgentServer>): void {
    this.#server = { ...this.#server, ...fields }
  }

  #endServer(): void {
    const server = this.#server
    this.#server = undefined
    if (server?.host === undefined || server.host === '') return
    this.servers.push({ ...defaultAgentServer, ...server, host: server.host })
  }

  #number(path: string, text: string, min: number, max: number): number | undefined {
    const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
    if (value >= min && value <= max) return value
    const place = path
      .split('/')
      .map((name) => `<${name}>`)
      .join('')
    this.#mistakes.push(`<client>${place} is '${text}': must be a whole number from ${min} to ${max}`)
    return undefined
  }

  #milliseconds(path: string, text: string, min = 1): number | undefined {
    const seconds = this.#number(path, text, min, Math.floor(secondsMax))
    return seconds === undefined ? undefined : seconds * 1_000
  }
}

/** Refuses with one sentence that says where and why. */
export const parseClientConf = (text: string): Result<AgentSettings> => {
  const reader = new ClientReader()
  try {
    reader.read(clientOptions(text))
  } catch (error) {
    if (!(error instanceof MalformedXml)) throw error
    return refuse('configInvalid', { message: `not XML in line ${text.slice(0, error.at).split('\n').length}: ${error.message}` })
  }
  if (reader.mistakes.length > 0) return refuse('configInvalid', { message: reader.mistakes.join('; ') })
  const { cipher, enrolment, servers, times } = reader
  return { ok: true, value: { servers, times, enrolment, cipher } }
}
