/** What a balancer's adapters fail with: one sentence that names its address, what was asked and what came of it. */
import { ClusterError } from '../../base/errors.js'
import { visibleLine } from '../../base/escapeText.js'
import { limits } from '../../base/limits.js'
import { shortened } from '../../base/logText.js'
import { isBalancerName } from '../../wire/haproxy/runtimeCommand.js'

const shown = (text: string): string => shortened(visibleLine(text.trim().replaceAll(/\s*\n\s*/g, ' ')), limits.balancerAnswerCharsMax)

export const askedInVain = (where: string, asked: string, reason: string, cause?: unknown): ClusterError =>
  new ClusterError('balancerFailed', {
    message: `The load balancer at ${where} could not be asked "${shown(asked)}": ${shown(reason)}`,
    cause,
  })

export const answeredBadly = (where: string, asked: string, answer: string): ClusterError =>
  new ClusterError('balancerFailed', {
    message: `The load balancer at ${where} was asked "${shown(asked)}" and answered: ${shown(answer) || 'nothing'}`,
  })

export const balancerSays = (where: string, sentence: string): ClusterError =>
  new ClusterError('balancerFailed', { message: `The load balancer at ${where} ${sentence}` })

/** Of a connection; with several addresses of a name the message is empty and the reasons are inside. */
export const reasonOf = (thrown: unknown): string => {
  if (thrown instanceof AggregateError) return thrown.errors.map(reasonOf).join(', ')
  return thrown instanceof Error ? thrown.message : String(thrown)
}

export const stopped = (): ClusterError => new ClusterError('aborted', { message: 'Asking the load balancer was stopped' })

/** Fails with `configInvalid`. */
export const checkBackend = (backend: string): void => {
  if (isBalancerName(backend)) return
  const says = `The option haproxy_backend is ${JSON.stringify(backend)}: must be letters, digits and any of "_.:-", at most 128`
  throw new ClusterError('configInvalid', { message: says })
}
