/** One enrolment, as agent-auth makes it: TLS, a line, an answer. */
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import type { KeyEntry } from '../../domain/agents/keyEntry.js'
import type { Clock } from '../../ports/machine.js'
import type { AgentNetwork, Endpoint } from '../../ports/network.js'
import { readReply } from '../../wire/enrolment/replyText.js'
import { type AgentLine, requestLineText } from '../../wire/enrolment/requestLine.js'

export interface AgentEnrolmentInput {
  readonly network: AgentNetwork
  readonly clock: Clock
  readonly endpoint: Endpoint
  readonly line: AgentLine
  readonly signal: AbortSignal
}

/** Fails with `requestFailed` and the server's own sentence when it refuses, and as `dialTls` of the network does. */
export const enrolAgent = async ({ clock, endpoint, line, network, signal }: AgentEnrolmentInput): Promise<KeyEntry> => {
  const stream = await network.dialTls(endpoint, {}, signal)
  return new Promise((resolve, reject) => {
    const settle = (end: () => void): void => {
      clock.clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      stream.end()
      end()
    }
    const fail = (error: ClusterError): void => settle(() => reject(error))
    const onAbort = (): void => {
      fail(new ClusterError('aborted'))
      stream.destroy()
    }
    const timer = clock.setTimeout(() => {
      fail(new ClusterError('requestTimeout'))
      stream.destroy()
    }, limits.fleetEnrolmentMsMax)
    signal.addEventListener('abort', onAbort, { once: true })
    stream.attach({
      onBytes: (bytes) => {
        const reply = readReply(bytes)
        if (reply.kind === 'key') settle(() => resolve({ ...reply.identity, id: Number(reply.identity.id) }))
        else if (reply.kind === 'refused') fail(new ClusterError('requestFailed', { message: reply.says }))
        else if (reply.kind === 'invalid') fail(new ClusterError('malformed', { message: reply.reason }))
      },
      onDrain: () => undefined,
      onClosed: (cause) => fail(new ClusterError('linkLost', { cause })),
    })
    stream.write([Buffer.from(requestLineText(line), 'latin1')])
  })
}
