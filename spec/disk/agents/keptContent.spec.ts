import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KeptContent } from '../../../src/disk/agents/keptContent.js'
import { createMemoryWorld } from '../../support/files/diskWorlds.js'

const path = 'etc/client.keys'

const worldOf = () => {
  const world = createMemoryWorld()
  const content = new KeptContent(4)
  const read = (text: string): Buffer => {
    world.write(path, text)
    const file = world.disk.open(`${world.home}/${path}`, 'r')
    const bytes = content.read(world.disk, file, text.length)
    world.disk.close(file)
    return bytes
  }
  return { content, read }
}

/** Versions as rewrites make them: lines are added, changed, removed and put back, so that many have their start in common. */
const versions = fc.array(
  fc.record({
    text: fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 6 }),
    keptBytes: fc.nat(40),
    isKept: fc.boolean(),
    isWritten: fc.boolean(),
  }),
  { maxLength: 20 },
)

describe('the kept content of a file', () => {
  it('is the file at each reading, or as it was written, and no version that was kept changes later', () =>
    fc.assert(
      fc.property(versions, (steps) => {
        const { content, read } = worldOf()
        const kept: { readonly bytes: Buffer; readonly text: string }[] = []
        let before = ''
        for (const { isKept, isWritten, keptBytes, text: added } of steps) {
          const last = kept.at(-1) ?? { bytes: Buffer.alloc(0), text: '' }
          const text = (isWritten ? last.text : before).slice(0, keptBytes) + added
          const bytes = isWritten ? content.joined([last.bytes.subarray(0, keptBytes), Buffer.from(added)]) : read(text)
          expect(bytes.toString()).toBe(text)
          before = text
          if (!isKept) continue
          content.keep(bytes)
          kept.push({ bytes, text })
          for (const version of kept) expect(version.bytes.toString()).toBe(version.text)
        }
      }),
    ))

  it('shares its memory with the version before when something was added, or nothing changed', () => {
    const { content, read } = worldOf()
    const first = read('001 web any aa\n')
    content.keep(first)
    const second = read('001 web any aa\n002 db any bb\n')
    content.keep(second)
    expect(second.buffer).toBe(first.buffer)
    expect(read('001 web any aa\n002 db any bb\n')).toBe(second)
    expect(content.joined([second, Buffer.from('003 mail any cc\n')]).buffer).toBe(first.buffer)
  })
})
