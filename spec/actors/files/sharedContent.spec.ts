import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SharedContent, type SharedReading } from '../../../src/actors/files/sharedContent.js'
import { ClusterError } from '../../../src/base/errors.js'
import type { ContentRequest } from '../../../src/domain/files/treeValues.js'

const forever = new AbortController().signal
const blockBytes = 1_000

const filesOf = (name: string): ContentRequest['files'] => [{ path: `etc/lists/${name}`, digest: name.repeat(64), offset: 0 }]
const requestOf = (name: string, offset = 0): ContentRequest => ({ files: filesOf(name), from: { file: 0, offset }, compress: false })

/** Files of three blocks each, which name their file; every read is counted, and waits until it is released. */
const countedFiles = () => {
  const reads: string[] = []
  const waiting: { go(): void; fail(): void }[] = []
  const read = (request: ContentRequest): Promise<{ block: Uint8Array; next: ContentRequest | undefined }> => {
    const { offset } = request.from
    const name = `${request.files[0]?.path} ${offset}`
    reads.push(name)
    const block = new Uint8Array(blockBytes)
    block.set(Buffer.from(name))
    const next = offset < 2 ? { ...request, from: { file: 0, offset: offset + 1 } } : undefined
    return new Promise((resolve, reject) => {
      waiting.push({ go: () => resolve({ block, next }), fail: () => reject(new ClusterError('fileFailed')) })
    })
  }
  const settle = async (end: 'go' | 'fail' = 'go'): Promise<void> => {
    for (const one of waiting.splice(0)) one[end]()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { reads, read, settle }
}

const textOf = (block: Uint8Array): string => Buffer.from(block).toString().replace(/\0+$/, '')

/** One transfer, a block at a time. */
class Transfer {
  readonly got: string[] = []
  readonly #name: string
  readonly #reading: SharedReading
  #next: ContentRequest | undefined
  #isReading = false

  constructor(content: SharedContent, name: string) {
    this.#name = name
    this.#next = requestOf(name)
    this.#reading = content.begin(filesOf(name))
  }

  step(): void {
    const request = this.#next
    if (!request || this.#isReading) return
    this.#isReading = true
    void this.#reading.read(request, forever).then(({ block, next }) => {
      this.got.push(textOf(block))
      this.#next = next
      this.#isReading = false
      if (!next) this.#reading.end()
    })
  }

  get wanted(): string[] {
    return [0, 1, 2].map((offset) => `etc/lists/${this.#name} ${offset}`)
  }
}

describe('shared content', () => {
  it('gives every transfer its blocks in order, stays within its bound, and keeps nothing at the end', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 0, max: 6 * blockBytes }),
        fc.array(fc.nat(), { maxLength: 40 }),
        async (names, bytesMax, turns) => {
          const files = countedFiles()
          const content = new SharedContent(files, bytesMax)
          const transfers: Transfer[] = []
          const rest = [...names]
          for (const turn of turns) {
            const name = turn % 3 === 0 ? rest.shift() : undefined
            if (name !== undefined) transfers.push(new Transfer(content, name))
            transfers[turn % Math.max(1, transfers.length)]?.step()
            if (turn % 2 === 0) await files.settle()
            expect(content.keptBytes).toBeLessThanOrEqual(bytesMax)
          }
          for (const name of rest) transfers.push(new Transfer(content, name))
          for (let round = 0; round < 4; round++) {
            for (const transfer of transfers) transfer.step()
            await files.settle()
            expect(content.keptBytes).toBeLessThanOrEqual(bytesMax)
          }
          for (const transfer of transfers) expect(transfer.got).toEqual(transfer.wanted)
          expect(content.keptBytes).toBe(0)
        },
      ),
    ))

  it('reads once what several transfers ask for at once, and reads changed content again', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 2, maxLength: 6 }), async (names) => {
        const files = countedFiles()
        const content = new SharedContent(files, 9 * blockBytes)
        const transfers = names.map((name) => new Transfer(content, name))
        for (let round = 0; round < 3; round++) {
          for (const transfer of transfers) transfer.step()
          await files.settle()
        }
        expect(files.reads).toHaveLength(3 * new Set(names).size)
      }),
    ))

  it('keeps nothing for a single transfer', async () => {
    const files = countedFiles()
    const content = new SharedContent(files)
    const reading = content.begin(filesOf('a'))
    void reading.read(requestOf('a'), forever)
    await files.settle()
    expect(content.keptBytes).toBe(0)
  })

  it('asks again for what could not be read', async () => {
    const files = countedFiles()
    const content = new SharedContent(files)
    const [one, other] = [content.begin(filesOf('a')), content.begin(filesOf('a'))]
    const both = Promise.allSettled([one.read(requestOf('a'), forever), other.read(requestOf('a'), forever)])
    await files.settle('fail')
    expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    const again = other.read(requestOf('a'), forever)
    await files.settle()
    expect(textOf((await again).block)).toBe('etc/lists/a 0')
    expect(files.reads).toHaveLength(2)
  })

  it('fails a stopped transfer, but not the others that wait for the same block', async () => {
    const files = countedFiles()
    const content = new SharedContent(files)
    const [one, other] = [content.begin(filesOf('a')), content.begin(filesOf('a'))]
    const stop = new AbortController()
    const both = Promise.allSettled([one.read(requestOf('a'), stop.signal), other.read(requestOf('a'), forever)])
    stop.abort()
    await files.settle()
    expect((await both).map(({ status }) => status)).toEqual(['rejected', 'fulfilled'])
    await expect(one.read(requestOf('a'), stop.signal)).rejects.toMatchObject({ code: 'aborted' })
    expect(files.reads).toHaveLength(1)
  })
})
