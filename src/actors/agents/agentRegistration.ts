/** Registration, the master's end: enrols and removes agents for a worker, which never decides on its own, and has others reconnect. */
import type { Link } from '../../ports/link.js'
import type { ServingInput } from '../kit/servingThread.js'
import type { AgentOperations } from './agentOperations.js'

/** @param operations whose log has the worker's name */
export const agentRegistrationInput = (link: Pick<Link, 'serve'>, operations: AgentOperations): ServingInput => ({
  link,
  answers: ({ signal }) => ({
    'agents.add': async (request) => {
      const { id, ip, key, name } = await operations.add(request, signal)
      return { id, ip, key, name }
    },
    'agents.enrol': async (request) => {
      const { id, ip, key, name } = await operations.enrol(request, signal)
      return { id, ip, key, name }
    },
    'agents.reconnect': async ({ all, ids, nodes }) => {
      const outcomes = await operations.reconnect({ ...(!all && { ids }), ...(nodes.length > 0 && { nodes }) }, signal)
      return { nodes: outcomes.map(({ agents, error, node }) => ({ node, agents, ...(error !== undefined && { error }) })) }
    },
    'agents.remove': async ({ id }) => {
      await operations.remove(id, signal)
      return {}
    },
  }),
})
