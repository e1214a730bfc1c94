/** Frames of Wazuh's clusters: what is written is read again however it is cut, and what a peer may make a reader hold is bounded. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ClusterFrameReader,
  type ClusterMessage,
  clusterFrameBytesMax,
  clusterFrames,
  clusterHeaderBytes,
} from '../../../src/wire/wazuh/clusterFrame.js'

const limits = { messageBytesMax: 100_000, dividedMax: 3 }

/** A frame by hand: the field of the command is 12 bytes as they are. */
const frame = (counter: number, field: string, payload: Uint8Array | string = '', length?: number): Buffer => {
  const bytes = Buffer.from(payload)
  const header = Buffer.alloc(clusterHeaderBytes)
  header.writeUInt32BE(counter)
  header.writeUInt32BE(length ?? bytes.length, 4)
  header.write(field, 8, 'latin1')
  return Buffer.concat([header, bytes])
}

const taken = (reader: ClusterFrameReader): (Omit<ClusterMessage, 'payload'> & { readonly payload: string })[] => {
  const messages = []
  for (;;) {
    const next = reader.next()
    if (!next.ok) throw next.error
    if (!next.value) return messages
    messages.push({ ...next.value, payload: next.value.payload.toString('latin1') })
  }
}

const readAll = (bytes: Uint8Array, cuts: readonly number[] = [], reader = new ClusterFrameReader(limits)) => {
  const messages = []
  let from = 0
  for (const end of [...[...cuts].map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
    reader.append(bytes.subarray(from, end))
    messages.push(...taken(reader))
    from = end
  }
  return messages
}

const commands = fc.constantFrom('ok', 'err', 'get_nodes', 'sendrreload', 'control_res', 'x', '')
const messages = fc.record({
  counter: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  command: commands,
  payload: fc.uint8Array({ maxLength: 300 }),
})
const shown = ({ command, counter, payload }: { command: string; counter: number; payload: Uint8Array }) => ({
  command,
  counter,
  payload: Buffer.from(payload).toString('latin1'),
})

describe('frames of a cluster', () => {
  it('are read as they were written, however they are cut', () => {
    fc.assert(
      fc.property(fc.array(messages, { maxLength: 8 }), fc.array(fc.nat(3_000), { maxLength: 30 }), (sent, cuts) => {
        const bytes = Buffer.concat(sent.flatMap((message) => clusterFrames(message)))
        const reader = new ClusterFrameReader(limits)
        expect(readAll(bytes, cuts, reader)).toEqual(sent.map(shown))
        expect([reader.held, reader.isWithin]).toEqual([0, false])
      }),
      { numRuns: 300 },
    )
  })

  it('of divided messages are joined, also when those of several come in turns', () => {
    const parts = fc.array(fc.uint8Array({ maxLength: 50 }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(fc.array(parts, { minLength: 1, maxLength: 3 }), fc.array(fc.nat(2_000), { maxLength: 10 }), (divided, cuts) => {
        const turns: Buffer[] = []
        for (let turn = 0; turn < 5; turn++)
          for (const [counter, all] of divided.entries()) {
            const part = all[turn]
            if (part) turns.push(frame(counter, turn === all.length - 1 ? 'dapi -------' : 'dapi ------d', part))
          }
        const joined = new Map(readAll(Buffer.concat(turns), cuts).map(({ counter, payload }) => [counter, payload]))
        expect(joined).toEqual(new Map(divided.map((all, counter) => [counter, Buffer.concat(all).toString('latin1')])))
      }),
      { numRuns: 300 },
    )
  })

  it('have a header of the counter, the length and the command with dashes', () => {
    const written = Buffer.concat(clusterFrames({ command: 'get_nodes', counter: 0x5fec9dd5, payload: Buffer.from('abc') }))
    expect(written.toString('hex')).toBe('5fec9dd5000000036765745f6e6f646573202d2d616263')
    expect(Buffer.concat(clusterFrames({ command: 'sendrreload', counter: 1, payload: Buffer.alloc(0) })).toString('latin1', 8)).toBe(
      'sendrreload ',
    )
  })

  it('of more than 5 242 880 bytes are divided into frames of as many, and all but the last are marked', () => {
    const payload = Buffer.alloc(clusterFrameBytesMax + 1, 'x')
    expect(clusterFrames({ command: 'dapi', counter: 7, payload: payload.subarray(1) })).toHaveLength(2)
    const [first, head, second, rest, ...none] = clusterFrames({ command: 'dapi', counter: 7, payload })
    expect(none).toEqual([])
    expect(Buffer.from(first ?? '').toString('latin1', 8)).toBe('dapi ------d')
    expect(Buffer.from(second ?? '').toString('latin1', 8)).toBe('dapi -------')
    expect([head?.length, rest?.length]).toEqual([clusterFrameBytesMax - clusterHeaderBytes, clusterHeaderBytes + 1])
    const reader = new ClusterFrameReader({ messageBytesMax: 2 * clusterFrameBytesMax, dividedMax: 1 })
    reader.append(Buffer.concat(clusterFrames({ command: 'dapi', counter: 7, payload })))
    const read = reader.next()
    expect(read.ok && read.value?.payload.equals(payload)).toBe(true)
  })

  it('may be padded with NULs after the space; a name without a space is all eleven bytes', () => {
    expect(readAll(frame(1, 'echo \0\0\0\0\0\0\0', 'x'))).toEqual([{ counter: 1, command: 'echo', payload: 'x' }])
    expect(readAll(frame(1, 'echo\0\0\0\0\0\0\0\0'))).toEqual([{ counter: 1, command: 'echo\0\0\0\0\0\0\0', payload: '' }])
    expect(readAll(frame(1, 'control_res '))).toEqual([{ counter: 1, command: 'control_res', payload: '' }])
    expect(readAll(frame(1, '            '))).toEqual([{ counter: 1, command: '', payload: '' }])
  })

  it('of the allowed length are taken, a byte more is refused at its header, and nothing is read then', () => {
    const reader = new ClusterFrameReader(limits)
    expect(readAll(frame(1, 'x -', Buffer.alloc(100_000)), [7, 30_000], reader)).toHaveLength(1)
    reader.append(frame(2, 'x -', '', 100_001))
    expect(reader.next()).toMatchObject({ ok: false, error: { code: 'tooLarge' } })
    reader.append(frame(3, 'x -'))
    expect(reader.next()).toMatchObject({ ok: false, error: { code: 'tooLarge' } })
    expect(reader.held).toBe(0)
  })

  it('hold what came, never what was announced', () => {
    const reader = new ClusterFrameReader({ messageBytesMax: 2 ** 32, dividedMax: 1 })
    const before = process.memoryUsage().arrayBuffers
    reader.append(frame(1, 'dapi -------', 'abc', 2 ** 32 - 1))
    expect(taken(reader)).toEqual([])
    expect([reader.held, reader.isWithin]).toEqual([3, true])
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20)
  })

  it('of divided messages are bounded together, and no more of them are under way than are allowed', () => {
    const half = Buffer.alloc(50_000)
    const reader = new ClusterFrameReader(limits)
    expect(readAll(Buffer.concat([frame(1, 'a ---------d', half), frame(2, 'b ---------d', half)]), [], reader)).toEqual([])
    expect(reader.held).toBe(100_000)
    expect(() => readAll(frame(1, 'a ----------', 'x'), [], reader)).toThrow('over the limit')
    const many = new ClusterFrameReader(limits)
    for (const counter of [1, 2, 3, 1]) expect(readAll(frame(counter, 'a ---------d', ''), [], many)).toEqual([])
    expect(() => readAll(frame(4, 'a ---------d', ''), [], many)).toThrow('More than 3 divided messages')
  })
})
