/** Agents that send events as fast as they are taken, or at a rate: what they send was sealed before. */
import { createSocket, type Socket as DatagramSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { AgentTransport } from '../../src/ports/listener.js'
import { type LoadAgent, type SealedEvents, sealedEvents } from '../agentEvents.js'
import { answerParent } from '../answerParent.js'
import { systemMs } from '../systemClock.js'
import { sleep } from '../workshop.js'

const host = '127.0.0.1'
/** Between two bursts of agents that send at a rate. */
const tickMs = 1
/** Agents are many machines: one that is late does not make up for it all at once. */
const burstMax = 128

/** Of all that this process sends over TCP. */
let sentCount = 0
let prepared: readonly SealedEvents[] = []

const ackMsMax = 10_000

interface Sending {
  readonly port: number
  readonly seconds: number
  /** Of all agents together; as fast as they are taken when left out. */
  readonly perSecond?: number
}

/** How many events are due at a rate, tick by tick, until the time is over; less than the rate where the machine is too busy for it. */
async function* bursts(perSecond: number, seconds: number): AsyncGenerator<number> {
  const endMs = systemMs() + seconds * 1_000
  let due = 0
  for (let lastMs = systemMs(); lastMs < endMs; ) {
    await sleep(tickMs)
    const nowMs = systemMs()
    due = Math.min(burstMax, due + ((nowMs - lastMs) * perSecond) / 1_000)
    lastMs = nowMs
    const whole = Math.floor(due)
    due -= whole
    if (whole > 0) yield whole
  }
}

const connected = async (port: number, startup: Buffer): Promise<Socket> => {
  const socket = connect({ host, port, noDelay: true })
  socket.write(startup)
  // The acknowledgement: nobody sends an event before.
  await new Promise<void>((resolve, reject) => {
    socket.once('data', () => resolve())
    socket.once('close', () => reject(new Error('The listener does not let an agent of the benchmark in')))
  })
  return socket
}

const ended = async (socket: Socket): Promise<void> => {
  const closed = once(socket, 'close')
  socket.end()
  await closed
}

/** Returns how many events were sent. */
const sendFramed = async (socket: Socket, events: readonly Buffer[], { perSecond, seconds }: Sending): Promise<number> => {
  let sent = 0
  if (perSecond === undefined) {
    const block = Buffer.concat(events)
    for (const endMs = systemMs() + seconds * 1_000; systemMs() < endMs; sent += events.length) {
      if (!socket.write(block)) await once(socket, 'drain')
      sentCount += events.length
    }
    return sent
  }
  for await (const due of bursts(perSecond, seconds)) {
    const burst = Array.from({ length: due }, (_, index) => events[(sent + index) % events.length] ?? Buffer.alloc(0))
    if (!socket.write(Buffer.concat(burst))) await once(socket, 'drain')
    sent += due
    sentCount += due
  }
  return sent
}

const calls = {
  sent: (_: undefined) => ({ count: sentCount, atMs: systemMs() }),

  prepare: ({ agents, transport }: { agents: readonly LoadAgent[]; transport: AgentTransport }) => {
    prepared = agents.map((agent) => sealedEvents(agent, transport === 'tcp'))
  },

  /** Over TCP, a connection each. Resolves when the listener has closed all of them: it has read everything. */
  tcp: async (sending: Sending) => {
    const sockets = await Promise.all(prepared.map(({ startup }) => connected(sending.port, startup)))
    const perSecond = sending.perSecond === undefined ? {} : { perSecond: sending.perSecond / sockets.length }
    const sent = await Promise.all(
      prepared.map(({ events }, index) => sendFramed(sockets[index] as Socket, events, { ...sending, ...perSecond })),
    )
    await Promise.all(sockets.map(ended))
    return sent.reduce((sum, count) => sum + count, 0)
  },

  /** Over UDP, a socket each, at a rate. */
  udp: async ({ perSecond = 1_000, port, seconds }: Sending) => {
    const sockets = await Promise.all(
      prepared.map(async ({ startup }) => {
        const socket: DatagramSocket = createSocket('udp4')
        socket.connect(port, host)
        await once(socket, 'connect')
        socket.send(startup)
        await once(socket, 'message', { signal: AbortSignal.timeout(ackMsMax) })
        return socket
      }),
    )
    let sent = 0
    for await (const due of bursts(perSecond, seconds))
      for (let index = 0; index < due; index++, sent++) {
        const events = prepared[sent % prepared.length]?.events ?? []
        sockets[sent % sockets.length]?.send(events[Math.floor(sent / prepared.length) % events.length] ?? '')
      }
    await sleep(200)
    for (const socket of sockets) socket.close()
    return sent
  },
}

export type AgentLoadCalls = typeof calls

answerParent(calls)
