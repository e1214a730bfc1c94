/** What agent_control prints of agents that were asked to reconnect. */
import { escapeText, safeJson } from '../../base/escapeText.js'
import type { AgentAnswer } from '../../domain/queries/agentAnswer.js'

export type Reconnected = Extract<AgentAnswer, { readonly kind: 'reconnected' }>

const totalOf = (outcomes: readonly Reconnected[]): number => outcomes.reduce((sum, { agents }) => sum + agents, 0)

export const reconnectedText = (outcomes: readonly Reconnected[]): string => {
  const lineOf = ({ agents, error, node }: Reconnected): string =>
    `   ${escapeText(node)}: ${error === undefined ? agents : `could not be asked: ${escapeText(error)}`}\n`
  const shown = outcomes.filter(({ agents, error }) => agents > 0 || error !== undefined)
  return `Agents asked to reconnect: ${totalOf(outcomes)}\n${shown.map(lineOf).join('')}`
}

export const reconnectedJson = (outcomes: readonly Reconnected[]): string => {
  const nodes = outcomes.map(({ agents, error, node }) => ({ node, agents, ...(error !== undefined && { message: error }) }))
  return `${safeJson({ error: 0, data: { total: totalOf(outcomes), nodes } })}\n`
}
