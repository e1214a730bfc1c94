/** Ten links to one master, 64 requests under way on each. */
import { requestRate } from '../measures/requestRate.js'
import { atLeast, type Row } from '../row.js'

export const requestsOfTenWorkers: Row = {
  name: 'the same, 10 workers, 64 in flight each',
  target: '≥ 150 000/s',
  run: async (workshop) => [
    {
      what: '',
      measured: await requestRate(workshop, { workers: 10, inFlight: 64, seconds: 3 }),
      unit: '/s',
      ...atLeast(150_000),
      note: 'the ten links of the workers are in one process, the master in another',
    },
  ],
}
