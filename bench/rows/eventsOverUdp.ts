/** What a listener takes over UDP, for each second of processor time, and what is lost on the way. */
import { eventRate } from '../measures/eventRate.js'
import { atLeast, type Row } from '../row.js'

const seconds = 10
const perSecond = 45_000

export const eventsOverUdp: Row = {
  name: 'events of 300 B, AES, UDP, 20 agents, decrypted, checked and in a segment',
  target: '≥ 40 000/s for each core-second, counted losses',
  run: async (workshop) => {
    const {
      cpuSeconds,
      kept,
      kernelDrops,
      seconds: took,
      sent,
    } = await eventRate(workshop, {
      transport: 'udp',
      seconds: workshop.scaled(seconds),
      perSecond,
    })
    const lost = sent - kept
    return [
      {
        what: 'for each core-second',
        measured: kept / cpuSeconds,
        unit: '/s',
        ...atLeast(40_000),
        note: `of ${Math.round(sent / took)} events/s that were sent ${((lost / sent) * 100).toFixed(2)} % (${lost}) were lost on the way, ${kernelDrops} of them because the kernel had no room`,
      },
    ]
  },
}
