/** Frames of the manager's daemons: what goes in comes out however it is cut, and a claimed length costs nothing. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LengthFrameReader, lengthFrame } from '../../../src/wire/wazuh/lengthFrames.js'

const payloads = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 })

describe("frames of the manager's daemons", () => {
  it('come out as they went in, however they are cut', () =>
    fc.assert(
      fc.property(payloads, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (sent, cuts) => {
        const stream = Buffer.concat(sent.map(lengthFrame))
        const reader = new LengthFrameReader(300)
        const received: Buffer[] = []
        for (let at = 0, cut = 0; at < stream.length; cut++) {
          const until = at + (cuts[cut % cuts.length] ?? 1)
          reader.append(stream.subarray(at, until))
          at = until
          for (let next = reader.next(); next; next = reader.next()) received.push(next)
        }
        expect(received).toEqual(sent.map((bytes) => Buffer.from(bytes)))
        expect(reader.isWithin).toBe(false)
      }),
    ))

  it('have the recorded bytes', () => {
    expect(lengthFrame(Buffer.from('global find-group web')).toString('hex')).toBe('15000000676c6f62616c2066696e642d67726f757020776562')
  })

  it('are refused by their length alone', () => {
    for (const length of [301, 0x7fffffff, 0xffffffff]) {
      const head = Buffer.alloc(4)
      head.writeUInt32LE(length)
      const reader = new LengthFrameReader(300)
      reader.append(head)
      expect(() => reader.next()).toThrow(`A frame says that it has ${length} bytes: at most 300 are read`)
    }
  })
})
