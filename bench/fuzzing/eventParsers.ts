/** The reader of the segments of `queue/events`, which a crash of the machine tears, and others may write to. */
import { invariant } from '../../src/base/invariant.js'
import { EventFollower } from '../../src/disk/listener/eventFollower.js'
import { segmentFileName } from '../../src/domain/listener/segmentName.js'
import { MemoryDisk } from '../../src/simulation/world/memoryDisk.js'
import { eventTimeMs, readEventLine } from '../../src/wire/agents/eventRecord.js'
import type { FuzzedParser } from './fuzzParser.js'

const directory = '/queue/events'
const startMs = 1_795_698_922_123
const newline = 0x0a

const common = { timestamp: '2026-11-26T13:15:22.123+0000', manager: { name: 'm1' }, queue: '1', location: '/var/log/auth.log' }
const records = [
  {
    ...common,
    agent: { id: '001', name: 'web-1', ip: '10.0.0.1' },
    cluster: { name: 'wazuh', node: 'w1' },
    full_log: 'Accepted publickey',
  },
  { ...common, agent: { id: '1234567', name: 'web-2' }, full_log: 'quotes " and \\ and \u00e9\ud83d\ude00 and \u0007' },
  { ...common, agent: { id: '002', name: 'web-3' }, full_log: 'x'.repeat(3_000) },
]
const lines = records.map((record) => `${JSON.stringify(record)}\n`)

const linesIn = (bytes: Uint8Array): number => bytes.filter((byte) => byte === newline).length

/** The first byte of the input says where it is cut into two segments: what is before the cut without a line feed is torn. */
const followed = (bytes: Uint8Array): string => {
  const cut = Math.floor((bytes.byteLength * (bytes[0] ?? 0)) / 256)
  const parts = [bytes.subarray(0, cut), bytes.subarray(cut)]
  const disk = new MemoryDisk({ now: () => startMs })
  for (const [index, part] of parts.entries())
    disk.edit(`${directory}/${segmentFileName({ startMs: startMs + index, sequence: index + 1 })}`, part)
  const follower = new EventFollower(disk, directory)
  const made = new Set<string>()
  while (follower.read((line) => made.add(madeOf(line))));
  const { counts, position } = follower
  follower.close()
  const whole = linesIn(bytes)
  invariant(counts.lines <= whole && counts.lines + counts.tornLines >= whole && counts.segmentsMissed === 0, 'every line is counted')
  const again = new EventFollower(disk, directory, position)
  const isMore = again.read(() => invariant(false, 'a line is read once'))
  again.close()
  invariant(!isMore, 'all was read')
  return made.has('taken') ? 'taken' : ([...made][0] ?? 'no line')
}

const madeOf = (line: Uint8Array): string => {
  invariant(!line.includes(newline), 'a line is one line')
  const read = readEventLine(line)
  if (!read.ok) return read.error.code
  eventTimeMs(read.value)
  return 'taken'
}

export const eventParsers: readonly FuzzedParser[] = [
  { name: 'events: segments', examples: () => [...lines, lines.join('')].map((text) => Buffer.from(text)), parse: followed },
]
