/** One request after the other: what the whole stack adds to a round trip over TCP. */
import type { BareCalls } from '../children/bare.js'
import { requestRate } from '../measures/requestRate.js'
import type { Row } from '../row.js'
import type { Workshop } from '../workshop.js'

const bareRate = async (workshop: Workshop): Promise<number> => {
  const server = workshop.child<BareCalls>('bare')
  const client = workshop.child<BareCalls>('bare')
  const port = await server.call('echoServer', undefined)
  await client.call('echoClient', { port, bytes: 100, seconds: 0.7 })
  return client.call('echoClient', { port, bytes: 100, seconds: 2 })
}

export const requestsSequential: Row = {
  name: 'request/response 100 B, sequential, one worker',
  target: '≥ 0.5 × a bare TCP echo in Node',
  run: async (workshop) => {
    const bare = await bareRate(workshop)
    await workshop.tidy()
    const measured = await requestRate(workshop, { workers: 1, inFlight: 1 })
    return [{ what: '', measured, unit: '/s', beside: { peer: 'bare TCP echo', value: bare }, target: { bound: 'atLeast', factor: 0.5 } }]
  },
}
