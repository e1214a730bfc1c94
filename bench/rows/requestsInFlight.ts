/** 64 requests under way at a time: what a flush shares between them. */
import { requestRate } from '../measures/requestRate.js'
import { atLeast, type Row } from '../row.js'

export const requestsInFlight: Row = {
  name: 'the same, 64 in flight',
  target: '≥ 100 000/s',
  run: async (workshop) => [
    { what: '', measured: await requestRate(workshop, { workers: 1, inFlight: 64, seconds: 3 }), unit: '/s', ...atLeast(100_000) },
  ],
}
