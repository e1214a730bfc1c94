/** One request after the other: what the whole stack adds to a round trip over TCP. */
import type { BareCalls } from '../children/bare.js'
import { requestRate } from '../measures/requestRate.js'
import type { Row } from '../row.js'
import { median } from '../statistics.js'
import type { Workshop } from '../workshop.js'

const runs = 3

const bareRate = async (workshop: Workshop): Promise<number> => {
  const server = workshop.child<BareCalls>('bare')
  const client = workshop.child<BareCalls>('bare')
  const port = await server.call('echoServer', undefined)
  await client.call('echoClient', { port, bytes: 100, seconds: 0.5 })
  return client.call('echoClient', { port, bytes: 100, seconds: 1 })
}

export const requestsSequential: Row = {
  name: 'request/response 100 B, sequential, one worker',
  target: '≥ 0.5 × a bare TCP echo in Node',
  run: async (workshop) => {
    const bare: number[] = []
    const stack: number[] = []
    for (let run = 0; run < runs; run++) {
      bare.push(await bareRate(workshop))
      await workshop.tidy()
      stack.push(await requestRate(workshop, { workers: 1, inFlight: 1, seconds: 1 }))
      await workshop.tidy()
    }
    return [
      {
        what: '',
        measured: median(stack),
        unit: '/s',
        beside: { peer: 'bare TCP echo', value: median(bare) },
        target: { bound: 'atLeast', factor: 0.5 },
        note: `medians of ${runs} runs of each, in turns`,
      },
    ]
  },
}
