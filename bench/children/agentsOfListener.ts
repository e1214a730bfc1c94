/** A process of agents that cost it nearly nothing: their messages are sealed beforehand, and nothing is read of the answers. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { AgentCipher } from '../../src/wire/agents/agentCipher.js'
import { agentControl } from '../../src/wire/agents/controlMessage.js'
import { sealMessage } from '../../src/wire/agents/sealMessage.js'
import { answerParent } from '../answerParent.js'
import { benchAgent, configurationSum } from '../measures/agentsOfListener.js'
import { sleep } from '../workshop.js'

const startsPerTurn = 100
const beatTurnMs = 100

interface SendingAgent {
  readonly keepAlive: Buffer
  readonly socket: Socket
}

const agents: SendingAgent[] = []

const keepAliveText = (id: number): string =>
  `Linux |host${id} |6.1.0 |#1 SMP PREEMPT_DYNAMIC Debian |x86_64 [Debian GNU/Linux|debian: 12 (bookworm)] - Wazuh v4.14.7 / b8a8b5cd865c68230861b9684a1a540f\n${configurationSum} merged.mg\n#"_agent_ip":127.0.0.1\n`

const opened = async (port: number): Promise<Socket> => {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  return socket.on('data', () => {})
}

const calls = {
  start: async ({ agents: count, port }: { agents: number; port: number }) => {
    const start = async (id: number): Promise<void> => {
      const cipher = new AgentCipher(benchAgent(id))
      let local = 0
      const seal = (text: Buffer): Buffer => {
        local += 1
        const message = { cipher, kind: 'aes' as const, counter: { global: 0, local }, random: 1, text, id, isFramed: true }
        const sealed = sealMessage({ ...message, level: 9 })
        if (!sealed.ok) throw sealed.error
        return sealed.value
      }
      const socket = await opened(port)
      socket.write(seal(agentControl.startup('v4.14.7')))
      agents.push({ keepAlive: seal(agentControl.keepAlive(keepAliveText(id))), socket })
    }
    for (let id = 1; id <= count; id += startsPerTurn)
      await Promise.all(Array.from({ length: Math.min(startsPerTurn, count - id + 1) }, (_, at) => start(id + at)))
  },

  /** One keep-alive of each, spread over this time. */
  beat: async ({ overMs }: { overMs: number }) => {
    const turns = Math.max(1, Math.round(overMs / beatTurnMs))
    for (let turn = 0; turn < turns; turn++) {
      const rest = sleep(beatTurnMs)
      for (let at = turn; at < agents.length; at += turns) {
        const agent = agents[at]
        agent?.socket.write(agent.keepAlive)
      }
      await rest
    }
  },
}

export type AgentsProcessCalls = typeof calls

answerParent(calls)
