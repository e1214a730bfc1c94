/** Registration, the master's end: enrols and removes agents for a worker, which never decides on its own. */

import { agentIdText } from '../../domain/agents/agent.js'
import type { Link } from '../../ports/link.js'
import type { Log } from '../../ports/machine.js'
import type { ServingInput } from '../kit/servingThread.js'
import type { LocalAgents } from './nodeAgents.js'

export interface AgentRegistrationOptions {
  readonly agents: LocalAgents
  readonly link: Link
  /** Tagged with the worker's name. */
  readonly log: Log
}

export const agentRegistrationInput = ({ agents, link, log }: AgentRegistrationOptions): ServingInput => ({
  link,
  answers: ({ signal }) => ({
    'agents.add': async (request) => {
      const { id, ip, key, name } = await agents.keys.add(request, signal)
      log.info(`Agent '${name}' was enrolled as ${agentIdText(id)}.`)
      return { id, ip, key, name }
    },
    'agents.remove': async ({ id }) => {
      await agents.keys.remove(id, signal)
      log.info(`Agent ${agentIdText(id)} was removed.`)
      return {}
    },
  }),
})
