/** Events of 20 agents on their way into segments: decrypted, checked, written. */
import { startListenerWithAgents } from '../measures/agentsOfListener.js'
import { atLeast, type Figure, type Row } from '../row.js'
import { sleep, type Workshop } from '../workshop.js'

const agentCount = 20
const blocks = { tcp: 200, udp: 20 }
const waitMs = 100
/** Datagrams that have not come by then do not come any more. */
const quietWaits = 10

const measure = async (workshop: Workshop, transport: 'tcp' | 'udp') => {
  const { agents, listener } = await startListenerWithAgents(workshop, agentCount, transport)
  const count = workshop.scaled(blocks[transport])
  const call = transport === 'tcp' ? 'events' : 'datagrams'
  const run = async (blockCount: number) => {
    const before = await listener.call('usage', undefined)
    const sent = await agents.call(call, { blocks: blockCount })
    let after = await listener.call('usage', undefined)
    for (let quiet = 0; after.events - before.events < sent && quiet < quietWaits; ) {
      await sleep(waitMs)
      const next = await listener.call('usage', undefined)
      quiet = next.events === after.events ? quiet + 1 : 0
      after = next
    }
    return { before, after, sent }
  }
  await run(Math.ceil(count / 10))
  const { after: to, before: from, sent } = await run(count)
  const taken = to.events - from.events
  return { taken, sent, perCoreSecond: (taken * 1000) / (to.cpuMs - from.cpuMs) }
}

export const eventsTaken: Row = {
  name: 'events of 300 B, AES, 20 agents, into segments, for each core-second',
  target: '≥ 80 000/s by TCP, ≥ 40 000/s by UDP',
  run: async (workshop) => {
    const figures: Figure[] = []
    for (const [transport, limit] of [
      ['tcp', 80_000],
      ['udp', 40_000],
    ] as const) {
      const { perCoreSecond, sent, taken } = await measure(workshop, transport)
      figures.push({
        what: transport.toUpperCase(),
        measured: perCoreSecond,
        unit: '/s',
        ...atLeast(limit),
        ...(transport === 'tcp' && { wazuh: '79 000/s' }),
        note: `${taken} of ${sent} events were taken`,
      })
      await workshop.tidy()
    }
    return figures
  },
}
