/** What takes the place of a cipher on simulated wires: it hides nothing, and still refuses what a cipher would refuse of a peer that is out of step. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PlainCipher } from '../../../src/simulation/network/plainCipher.js'
import { CipherState, tagBytes } from '../../../src/wire/muster/cipherState.js'
import { FrameGatherer, FrameOpener, FrameSealer } from '../../../src/wire/muster/frames.js'

const frames = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 2, maxLength: 10 })

const sealed = (cipher: PlainCipher | CipherState, content: readonly Uint8Array[], framesPerRekey: number): Buffer[] => {
  const sealer = new FrameSealer(cipher, framesPerRekey)
  return content.map((frame) => Buffer.concat(sealer.seal([frame], frame.byteLength)))
}

const opened = (wire: readonly Buffer[], framesPerRekey: number): (Buffer | string)[] => {
  const opener = new FrameOpener(new PlainCipher(), framesPerRekey)
  const gatherer = new FrameGatherer(1_000)
  return wire.map((bytes) => {
    gatherer.append(bytes)
    const gathered = gatherer.next()
    if (!gathered.ok || !gathered.value) return 'no frame'
    const frame = opener.open(gathered.value)
    return frame.ok ? frame.value : frame.error.code
  })
}

describe('a plain cipher', () => {
  it('gives back what was sealed, in frames of the size that a cipher gives them', () =>
    fc.assert(
      fc.property(frames, fc.integer({ min: 1, max: 4 }), (content, framesPerRekey) => {
        const wire = sealed(new PlainCipher(), content, framesPerRekey)
        expect(opened(wire, framesPerRekey)).toEqual(content.map((frame) => Buffer.from(frame)))
        const withCipher = sealed(new CipherState(new Uint8Array(32)), content, framesPerRekey)
        expect(wire.map((frame) => frame.byteLength)).toEqual(withCipher.map((frame) => frame.byteLength))
      }),
    ))

  it('refuses frames out of their order, keys renewed out of step, and what has no tag', () =>
    fc.assert(
      fc.property(frames, (content) => {
        const wire = sealed(new PlainCipher(), content, 1_000)
        expect(opened([...wire].reverse(), 1_000)[0]).toBe('notAuthentic')
        expect(opened(wire, 1)[1]).toBe('notAuthentic')
        expect(new PlainCipher().open(Buffer.alloc(4), Buffer.alloc(tagBytes - 1))).toMatchObject({ ok: false })
      }),
    ))

  it('keeps nothing of the memory that it was handed', () => {
    const frame = Buffer.from('content')
    const { parts, tag } = new PlainCipher().seal(Buffer.alloc(4), [frame])
    const wire = Buffer.concat([...parts, tag])
    frame.fill(0)
    expect(Buffer.concat(parts).toString()).toBe('content')
    const plain = new PlainCipher().open(Buffer.alloc(4), wire)
    wire.fill(0)
    expect(plain.ok && plain.value.toString()).toBe('content')
  })
})
