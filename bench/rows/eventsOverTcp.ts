/** What a listener takes over TCP as fast as it can, for each second of processor time. */
import { primitiveRate } from '../measures/eventPrimitives.js'
import { eventRate } from '../measures/eventRate.js'
import { atLeast, NotMeasurable, type Row } from '../row.js'

const seconds = 10

export const eventsOverTcp: Row = {
  name: 'events of 300 B, AES, TCP, 20 agents, decrypted, checked and in a segment',
  target: '≥ 80 000/s for each core-second, ≥ 0.5 × its primitives in a loop',
  run: async (workshop) => {
    const primitives = primitiveRate(workshop.place('primitives'))
    const {
      cpuSeconds,
      kept,
      seconds: took,
      sent,
      taken,
    } = await eventRate(workshop, { transport: 'tcp', seconds: workshop.scaled(seconds) })
    if (kept !== sent || taken !== sent) throw new NotMeasurable(`Of ${sent} events ${taken} were taken and ${kept} are in segments.`)
    const measured = kept / cpuSeconds
    return [
      {
        what: 'for each core-second',
        measured,
        unit: '/s',
        ...atLeast(80_000),
        wazuh: '79 000/s',
        note: `${Math.round(kept / took)} events/s in all, with ${(cpuSeconds / took).toFixed(2)} cores, while the agents had the rest of the machine; all ${kept} are in segments`,
      },
      {
        what: 'beside its primitives',
        measured,
        unit: '/s',
        beside: { peer: 'kept decipher, inflateSync, MD5, write', value: primitives },
        target: { bound: 'atLeast', factor: 0.5 },
      },
    ]
  },
}
