/** A worker's rounds of integrity over a real session and disks in memory: what arrives, and what it costs. */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { ContentChunker } from '../../../src/domain/files/content/contentChunks.js'
import { recipeRow } from '../../../src/domain/files/content/contentRecipe.js'
import type { MemoryDisk } from '../../../src/simulation/world/memoryDisk.js'
import { ContentBlockWriter } from '../../../src/wire/muster/contentBlock.js'
import { edited, noise } from '../../support/files/editedContent.js'
import { home, type Lie, leftInStage, setUp, type World } from '../../support/files/syncWorld.js'
import { runs } from '../../support/runs.js'
import { forever, outcome } from '../../support/sessionPair.js'

const path = 'etc/client.keys'
const absolute = `${home}/${path}`
const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex')

const hasNew = (world: World, after: Buffer): boolean => world.worker.contentOf(absolute).equals(after)

const lines = Array.from({ length: 20_000 }, (_, id) => `${id} agent-${id} any ${sha256(Buffer.from(`${id}`))}\n`)
const before = Buffer.from(lines.join(''))
const after = Buffer.from(lines.with(10_000, `10000 agent-10000 10.0.0.1 ${sha256(Buffer.from('new'))}\n`).join(''))

describe('an update of a file', () => {
  it('ends with the new content, for any old and new content', () =>
    fc.assert(
      fc.asyncProperty(fc.array(edited({ bytesMin: 0 }), { minLength: 1, maxLength: 2 }), async (changes) => {
        const world = await setUp()
        for (const change of changes) {
          world.worker.edit(absolute, change.before)
          world.master.edit(absolute, change.after)
          expect((await world.round()).failures).toEqual([])
          expect(hasNew(world, change.after)).toBe(true)
        }
        expect(await world.round()).toEqual({ received: 0, failures: [] })
        await world.stop()
      }),
      { numRuns: runs(60) },
    ))

  it.each([
    { what: 'a line is appended', content: Buffer.concat([before, Buffer.from('20001 agent any x\n')]) },
    { what: 'a line is changed', content: after },
    { what: 'a line is deleted', content: Buffer.from(lines.toSpliced(5_000, 1).join('')) },
    { what: 'a byte is inserted at its start', content: Buffer.concat([Buffer.from('#'), before]) },
  ])('costs less than 1 % of the file when $what', async ({ content }) => {
    const world = await setUp()
    world.worker.edit(absolute, before)
    world.master.edit(absolute, content)
    const { received } = await world.round()
    expect(hasNew(world, content)).toBe(true)
    expect(received).toBeLessThan(content.length / 100)
    expect(leftInStage(world)).toBe(0)
    await world.stop()
  })

  it.each([
    { what: 'the master knows no deltas', capabilities: [], old: before },
    { what: 'most of it is new', capabilities: ['delta'], old: noise(1, 1_000_000) },
    { what: 'the old one is small', capabilities: ['delta'], old: noise(1, 100) },
  ])('is sent whole when $what', async ({ capabilities, old }) => {
    const world = await setUp({ capabilities })
    world.worker.edit(absolute, old)
    world.master.edit(absolute, after)
    const { received } = await world.round()
    expect(hasNew(world, after)).toBe(true)
    expect(received).toBeGreaterThan(after.length)
    await world.stop()
  })

  it('is sent whole when its delta is refused', async () => {
    const world = await setUp({ handlers: ({ 'integrity.recipe': _, ...others }) => others })
    world.worker.edit(absolute, before)
    world.master.edit(absolute, after)
    expect((await world.round()).failures).toEqual([])
    expect(hasNew(world, after)).toBe(true)
    await world.stop()
  })

  it('is the newer content a round later when the master’s file changes after the recipe', async () => {
    const newer = Buffer.concat([after.subarray(0, 600_000), Buffer.from('newer\n'), after.subarray(600_000)])
    let edit = (): void => {}
    const world = await setUp({
      masterFiles: (files) => ({
        ...files,
        recipe: async (...asked) => {
          const recipe = await files.recipe(...asked)
          edit()
          return recipe
        },
      }),
    })
    edit = () => world.master.edit(absolute, newer)
    world.worker.edit(absolute, before)
    world.master.edit(absolute, after)
    const stale = await world.round()
    expect(stale.failures).toEqual(['digestMismatch'])
    expect(stale.received).toBeLessThan(after.length / 20)
    expect(hasNew(world, before)).toBe(true)
    expect((await world.round()).failures).toEqual([])
    expect(hasNew(world, newer)).toBe(true)
    await world.stop()
  })

  it('ends with the new content when the worker’s own file changes or is deleted in the middle', async () => {
    for (const meddle of [
      (disk: MemoryDisk) => disk.edit(absolute, Buffer.concat([Buffer.from('meddled'), before.subarray(1_000)])),
      (disk: MemoryDisk) => disk.edit(absolute, Buffer.from('meddled')),
      (disk: MemoryDisk) => disk.remove(absolute),
    ]) {
      const world = await setUp({
        workerFiles: (files, disk) => ({
          ...files,
          beginPatch: (start, signal) => {
            meddle(disk)
            return files.beginPatch(start, signal)
          },
        }),
      })
      world.worker.edit(absolute, before)
      world.master.edit(absolute, after)
      expect((await world.round()).failures).toEqual([])
      expect(hasNew(world, after)).toBe(true)
      await world.stop()
    }
  })
})

describe('a master that lies about a delta', () => {
  const blockOf = (content: Uint8Array, offset: number): Uint8Array => {
    const block = new ContentBlockWriter()
    block.free.set(content)
    block.add({ file: 0, offset, status: 'last' }, content.length)
    return block.finish(false)
  }
  const sending =
    (blocks: (start: number) => Iterable<Uint8Array>): Lie =>
    (honest, { link }) => ({
      ...honest,
      'integrity.ranges': ({ ranges, stream }) => {
        const out = link.openStream(stream)
        const send = async (): Promise<void> => {
          for (const block of blocks(Buffer.from(ranges).readUInt32BE(0))) await out.write(block)
          out.end()
        }
        void send().catch(() => undefined)
        return {}
      },
    })
  const recipe = (averageBits: number, chunks: Uint8Array): Lie => {
    return (honest) => ({ ...honest, 'integrity.recipe': () => ({ averageBits, chunks }) })
  }
  const rowsOf = (content: Uint8Array): Uint8Array[] => {
    const rows: Uint8Array[] = []
    const chunker = new ContentChunker(12, (chunk) => rows.push(recipeRow(chunk)))
    chunker.push(content)
    chunker.finish()
    return rows
  }
  const endless = function* (block: (start: number) => Uint8Array, start: number): Iterable<Uint8Array> {
    for (;;) yield block(start)
  }

  it.each<{ lie: string; handlers: Lie }>([
    { lie: 'sends nothing', handlers: sending(() => []) },
    { lie: 'sends other content', handlers: sending((start) => [blockOf(Buffer.from('a lie'), start)]) },
    { lie: 'sends content for elsewhere', handlers: sending(() => [blockOf(Buffer.from('a lie'), 0)]) },
    { lie: 'sends invalid blocks', handlers: sending(() => [Buffer.from('no block')]) },
    { lie: 'sends the same without end', handlers: sending((start) => endless((at) => blockOf(Buffer.from('a lie'), at), start)) },
    { lie: 'sends empty blocks without end', handlers: sending((start) => endless((at) => blockOf(Buffer.alloc(0), at), start)) },
    { lie: 'has a recipe of nothing', handlers: recipe(10, new Uint8Array(0)) },
    { lie: 'has a recipe of one impossible chunk', handlers: recipe(13, recipeRow(after)) },
    { lie: 'has a recipe with no chunker', handlers: recipe(32, recipeRow(after)) },
    { lie: 'has half a recipe', handlers: recipe(10, new Uint8Array(limits.recipeChunksMax * 20 - 7)) },
    { lie: 'has a recipe of the right chunks in the wrong order', handlers: recipe(12, Buffer.concat(rowsOf(after).reverse())) },
    { lie: 'has a recipe without a chunk in common', handlers: recipe(12, Buffer.concat(rowsOf(noise(1, after.length)))) },
  ])('and $lie gets nothing written, and its honest content arrives', async ({ handlers }) => {
    const world = await setUp({ handlers })
    world.worker.edit(absolute, before)
    world.master.edit(absolute, after)
    const first = await world.round()
    expect(first.failures.every((code) => code === 'digestMismatch')).toBe(true)
    expect(hasNew(world, first.failures.length === 0 ? after : before)).toBe(true)
    if (first.failures.length > 0) expect((await world.round()).failures).toEqual([])
    expect(hasNew(world, after)).toBe(true)
    expect(leftInStage(world)).toBe(0)
    await world.stop()
  })
})

describe('a worker that lies about a delta', () => {
  const asked = async (request: (world: World) => Promise<unknown>): Promise<string> => {
    const world = await setUp()
    world.master.edit(absolute, after)
    await world.round()
    const { error } = await outcome(world.clock, request(world))
    await world.stop()
    return error instanceof Error && 'code' in error ? String(error.code) : 'answered'
  }
  const options = { signal: forever, timeoutMs: 20_000 }
  const digest = Buffer.from(sha256(after), 'hex')

  it.each(['../etc/passwd', 'etc/ossec.conf', 'etc/rules/../../x', 'etc/rules/ar.conf'])(
    'is refused the recipe and the ranges of %s',
    async (bad) => {
      expect(await asked(({ pair }) => pair.worker.request('integrity.recipe', { path: bad, digest }, options))).toBe('pathRefused')
      const ranges = Buffer.from([0, 0, 0, 0, 0, 0, 0, 1])
      const ask = ({ pair }: World): Promise<unknown> => {
        const stream = pair.worker.expectStream()
        return pair.worker.request('integrity.ranges', { stream: stream.id, path: bad, digest, ranges, compress: false }, options)
      }
      expect(await asked(ask)).toBe('pathRefused')
    },
  )

  it('is refused invalid ranges', async () => {
    for (const ranges of [new Uint8Array(0), new Uint8Array(8), new Uint8Array(9), Buffer.alloc(16, 1)]) {
      const ask = ({ pair }: World): Promise<unknown> => {
        const stream = pair.worker.expectStream()
        return pair.worker.request('integrity.ranges', { stream: stream.id, path, digest, ranges, compress: false }, options)
      }
      expect(await asked(ask)).toBe('malformed')
    }
  })

  it('gets no recipe for content that does not exist, and only its share at a time', async () => {
    const recipe = ({ pair }: World, of: Uint8Array): Promise<unknown> =>
      pair.worker.request('integrity.recipe', { path, digest: of }, options)
    expect(await asked((world) => recipe(world, new Uint8Array(32)))).toBe('digestMismatch')
    const many = limits.fetchesPerWorkerMax + 1
    expect(await asked((world) => Promise.all(Array.from({ length: many }, () => recipe(world, digest))))).toBe('overloaded')
  })
})
