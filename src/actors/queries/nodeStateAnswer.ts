/** What an operator says of a node, as the master does it: checked, kept, then announced to all that follow the states. */
import type { Result } from '../../base/errors.js'
import { decideStateChange, type NodeCommand, type NodeState, stateText } from '../../domain/cluster/nodeState.js'
import type { AnswerLine } from '../../domain/queries/answerLine.js'
import type { NodeView } from '../../domain/queries/clusterAnswer.js'
import type { Log } from '../../ports/machine.js'
import type { LocalAgents } from '../agents/nodeAgents.js'
import { type NodeStates, statesCapability } from '../cluster/nodeStates.js'
import type { Registry } from '../cluster/registry.js'

export interface NodeStatesView {
  readonly cluster: string
  readonly self: NodeView
  readonly registry: Registry
  readonly states: NodeStates
  readonly agents: LocalAgents
  readonly log: Log
}

export async function* nodeStateAnswer(
  view: NodeStatesView,
  { isTrial, node, state }: NodeCommand,
  signal: AbortSignal,
): AsyncGenerator<AnswerLine, void, undefined> {
  const { cluster, log, self, states } = view
  await states.loaded
  yield { kind: 'cluster', name: cluster, unknownNodes: [] }
  const isKnown = await isKnownNode(view, node, signal)
  const decide = (current: NodeState): Result<boolean> => decideStateChange({ node, state, isKnown, current, masterNode: self.name })
  const trial = decide(states.stateOf(node))
  if (!trial.ok) throw trial.error
  const isChanged = isTrial ? trial.value : await states.set(node, state, decide)
  if (isChanged && !isTrial) log.info(`Node '${node}' ${stateText[state]}, as an operator said.`)
  yield { kind: 'nodeState', node, state, isChanged, reach: reachOf(view, node), othersReady: othersReady(view, node) }
  yield { kind: 'end' }
}

/** Agents remember at which node they were, too. */
const isKnownNode = async ({ agents, registry, self, states }: NodeStatesView, node: string, signal: AbortSignal): Promise<boolean> => {
  if (node === self.name || registry.get(node) || states.all().has(node)) return true
  await agents.table.usable(signal)
  return (await agents.store.shape({ nodes: [node] })).count > 0
}

const reachOf = ({ registry, self }: NodeStatesView, node: string): 'reached' | 'notConnected' | 'notAble' => {
  if (node === self.name) return 'reached'
  const member = registry.get(node)
  if (!member) return 'notConnected'
  return member.link.peer.capabilities.includes(statesCapability) ? 'reached' : 'notAble'
}

/** Where its agents can go. */
const othersReady = ({ registry, self, states }: NodeStatesView, node: string): number =>
  [self.name, ...registry.members().map(({ name }) => name)].filter((other) => other !== node && states.stateOf(other) === 'ready').length
