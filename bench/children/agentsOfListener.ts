/** A process of agents that cost it nearly nothing: their messages are sealed beforehand, and nothing is read of the answers. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import { AgentCipher } from '../../src/wire/agents/agentCipher.js'
import { agentControl } from '../../src/wire/agents/controlMessage.js'
import { sealMessage } from '../../src/wire/agents/sealMessage.js'
import { answerParent } from '../answerParent.js'
import { benchAgent, configurationSum } from '../measures/agentsOfListener.js'
import { sleep } from '../workshop.js'

const startsPerTurn = 100
const beatTurnMs = 100
const eventsPerBlock = 200
const udpPauseEvery = 64

interface SendingAgent {
  readonly keepAlive: Buffer
  readonly block: readonly Buffer[]
  /** Resolves when there is room for more. */
  send(bytes: Buffer): Promise<void> | undefined
}

const agents: SendingAgent[] = []

const keepAliveText = (id: number): string =>
  `Linux |host${id} |6.1.0 |#1 SMP PREEMPT_DYNAMIC Debian |x86_64 [Debian GNU/Linux|debian: 12 (bookworm)] - Wazuh v4.14.7 / b8a8b5cd865c68230861b9684a1a540f\n${configurationSum} merged.mg\n#"_agent_ip":127.0.0.1\n`

const eventText = (at: number): Buffer =>
  Buffer.from(
    `1:/var/log/auth.log:Nov 26 12:00:${at % 60} host sshd[${1_000 + at}]: Accepted publickey for user${at} from 10.0.${at % 256}.7 port 22 `
      .repeat(4)
      .slice(0, 300),
  )

const opened = async (port: number, transport: 'tcp' | 'udp'): Promise<SendingAgent['send']> => {
  if (transport === 'udp') {
    const socket = createSocket('udp4')
    await new Promise<void>((resolve) => socket.connect(port, '127.0.0.1', resolve))
    socket.on('message', () => {})
    return (bytes) => {
      socket.send(bytes)
      return undefined
    }
  }
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.on('data', () => {})
  return (bytes) => (socket.write(bytes) ? undefined : once(socket, 'drain').then(() => undefined))
}

const calls = {
  start: async ({ agents: count, port, transport }: { agents: number; port: number; transport: 'tcp' | 'udp' }) => {
    const start = async (id: number): Promise<void> => {
      const cipher = new AgentCipher(benchAgent(id))
      let local = 0
      const seal = (text: Buffer): Buffer => {
        local += 1
        const message = { cipher, kind: 'aes' as const, counter: { global: 0, local }, random: 1, text, id, isFramed: transport === 'tcp' }
        const sealed = sealMessage({ ...message, level: 9 })
        if (!sealed.ok) throw sealed.error
        return sealed.value
      }
      const send = await opened(port, transport)
      void send(seal(agentControl.startup('v4.14.7')))
      // Only those that are to send events have them ready.
      const block = count > 1_000 ? [] : Array.from({ length: eventsPerBlock }, (_, at) => seal(eventText(at)))
      agents.push({ keepAlive: seal(agentControl.keepAlive(keepAliveText(id))), block, send })
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
        void agent?.send(agent.keepAlive)
      }
      await rest
    }
  },

  /** This many blocks of events of each, as fast as they go. Returns how many events that are. */
  events: async ({ blocks }: { blocks: number }) => {
    await Promise.all(
      agents.map(async ({ block, send }) => {
        const whole = Buffer.concat(block)
        for (let sent = 0; sent < blocks; sent++) await send(whole)
      }),
    )
    return agents.length * blocks * eventsPerBlock
  },

  /** The same one by one, with a pause now and then. */
  datagrams: async ({ blocks }: { blocks: number }) => {
    let sent = 0
    for (let round = 0; round < blocks; round++)
      for (let at = 0; at < eventsPerBlock; at++)
        for (const { block, send } of agents) {
          const event = block[at]
          if (event) void send(event)
          sent += 1
          if (sent % udpPauseEvery === 0) await sleep(1)
        }
    return sent
  },
}

export type AgentsProcessCalls = typeof calls

answerParent(calls)
