/** How many echoes a second go through the whole stack between two processes. */
import type { LinkCalls } from '../children/link.js'
import type { Workshop } from '../workshop.js'

const payloadBytes = 100
/** Until the code is compiled: only a node that has run for a while counts. */
const warmUpSeconds = 1

export const requestRate = async (
  workshop: Workshop,
  { workers, inFlight, seconds }: { workers: number; inFlight: number; seconds: number },
): Promise<number> => {
  const master = workshop.child<LinkCalls>('link')
  const worker = workshop.child<LinkCalls>('link')
  const port = await master.call('listen', { streamBytes: 0 })
  await worker.call('dial', { port, count: workers })
  await worker.call('ask', { bytes: payloadBytes, inFlight, seconds: warmUpSeconds })
  return worker.call('ask', { bytes: payloadBytes, inFlight, seconds })
}
