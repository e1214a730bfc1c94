/** One stream of 1 GB from memory to memory, compared with a sealed stream that does nothing else. */
import type { BareCalls } from '../children/bare.js'
import type { LinkCalls } from '../children/link.js'
import type { Row } from '../row.js'
import { median } from '../statistics.js'
import type { Workshop } from '../workshop.js'

const streamBytes = 2 ** 30
const runs = 3

const bareSeconds = async (workshop: Workshop): Promise<number> => {
  const receiver = workshop.child<BareCalls>('bare')
  const sender = workshop.child<BareCalls>('bare')
  const port = await receiver.call('sealedReceiver', { bytes: streamBytes })
  const seconds = await sender.call('sealedSender', { port, bytes: streamBytes })
  await workshop.tidy()
  return seconds
}

const linkSeconds = async (workshop: Workshop): Promise<number> => {
  const master = workshop.child<LinkCalls>('link')
  const worker = workshop.child<LinkCalls>('link')
  const port = await master.call('listen', { streamBytes })
  await worker.call('dial', { port, count: 1 })
  const seconds = await worker.call('fetch', { bytes: streamBytes })
  await workshop.tidy()
  return seconds
}

const rate = (seconds: readonly number[]): number => streamBytes / 1e6 / median(seconds)

export const streamThroughput: Row = {
  name: 'one stream of 1 GB, memory to memory',
  target: '≥ 0.6 × a bare sealed stream',
  run: async (workshop) => {
    const bare: number[] = []
    const link: number[] = []
    for (let run = 0; run < runs; run++) {
      bare.push(await bareSeconds(workshop))
      link.push(await linkSeconds(workshop))
    }
    return [
      {
        what: '',
        measured: rate(link),
        unit: 'MB/s',
        beside: { peer: 'bare sealed stream', value: rate(bare) },
        target: { bound: 'atLeast', factor: 0.6 },
        note: `medians of ${runs} runs`,
      },
    ]
  },
}
