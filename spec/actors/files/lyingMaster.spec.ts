/** A master that has the key and sends without end: a worker takes what its plan says and a little more, and goes on. */
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { splitPaths } from '../../../src/domain/files/entryColumns.js'
import { ContentBlockWriter, type PieceStatus } from '../../../src/wire/muster/contentBlock.js'
import { noise } from '../../support/files/editedContent.js'
import { home, type Lie, leftInStage, setUp } from '../../support/files/syncWorld.js'

const first = 'etc/rules/first'
const second = 'etc/rules/second'
const content = noise(1, 300_000)
const pieceBytes = 100_000

/** A block with one piece of false content. */
const blockOf = (file: number, offset: number, status: PieceStatus, bytes: Uint8Array): Uint8Array => {
  const block = new ContentBlockWriter()
  block.free.set(bytes)
  block.add({ file, offset, status }, bytes.length)
  return block.finish(false)
}

const untrue = noise(2, pieceBytes)
const small = Buffer.from('small')

type Blocks = (offset: number) => Iterable<Uint8Array>

/** Sends the second file as it is, and the first one without ever ending it. */
const sending =
  (blocks: Blocks, rounds: { left: number }): Lie =>
  (honest, { link }) => ({
    ...honest,
    'integrity.fetch': (body) => {
      if (rounds.left-- <= 0) return honest['integrity.fetch']?.(body) ?? {}
      const out = link.openStream(body.stream)
      const send = async (): Promise<void> => {
        if (body.offsets.length > 1) await out.write(blockOf(1, 0, 'last', small))
        for (const block of blocks(body.offsets[0] ?? 0)) await out.write(block)
      }
      void send().catch(() => undefined)
      return {}
    },
  })

/** In effect without end: more than any worker takes, and then nothing, not even an end. */
const withoutEnd = function* (block: (index: number) => Uint8Array): Iterable<Uint8Array> {
  for (let index = 0; index < 3_000; index++) yield block(index)
}

describe('a master that lies about modes', () => {
  it.each(['0000', '0666', '0777', '7777'])('gets no file of mode %s: a worker gives each file the mode of its own item', async (mode) => {
    let lies = 2
    const world = await setUp({
      handlers: (honest) => ({
        ...honest,
        'integrity.compare': async (body) => {
          const answer = await honest['integrity.compare']?.(body)
          if (!answer) throw new Error('The master answers this')
          if (lies-- <= 0) return answer
          const lied = Buffer.alloc(2 * splitPaths(answer.create.paths).length)
          for (let at = 0; at < lied.length; at += 2) lied.writeUInt16BE(Number.parseInt(mode, 8), at)
          return { ...answer, create: { ...answer.create, modes: lied } }
        },
      }),
    })
    world.master.edit(`${home}/etc/client.keys`, small, 0o640)
    world.master.edit(`${home}/${first}`, small)
    expect((await world.round()).failures).toEqual([])
    expect(world.worker.lstat(`${home}/etc/client.keys`).mode).toBe(0o640)
    expect(world.worker.lstat(`${home}/${first}`).mode).toBe(0o660)
    await world.stop()
  })
})

describe('a master that sends without end', () => {
  it.each<{ what: string; blocks: Blocks }>([
    { what: 'more of a file', blocks: (offset) => withoutEnd((index) => blockOf(0, offset + index * pieceBytes, 'more', untrue)) },
    { what: 'the beginning of a file', blocks: () => withoutEnd(() => blockOf(0, 0, 'more', untrue)) },
    { what: 'a file that came already', blocks: () => withoutEnd(() => blockOf(1, 0, 'last', small)) },
    { what: 'nothing', blocks: () => withoutEnd(() => blockOf(0, 0, 'more', new Uint8Array(0))) },
  ])('($what) is read only as far as the plan and some growth allow, and whole files are written', async ({ blocks }) => {
    const rounds = { left: 4 }
    const world = await setUp({ handlers: sending(blocks, rounds) })
    world.master.edit(`${home}/${first}`, content)
    world.master.edit(`${home}/${second}`, small)
    const bytesMax = limits.fetchGrowthMax * (content.length + small.length) + limits.fetchSlackBytes
    while (rounds.left > 0) {
      const { failures, received } = await world.round()
      expect(failures).toEqual(['digestMismatch'])
      // What was under way when the worker stopped reading still arrives.
      expect(received).toBeLessThan(bytesMax + 2 * limits.streamWindowBytes)
      expect(world.worker.contentOf(`${home}/${second}`).equals(small)).toBe(true)
      const staged = world.worker
        .readdir(`${home}/queue/cluster/w1`)
        .map(({ name }) => `${home}/queue/cluster/w1/${Buffer.from(name).toString()}`)
      expect(staged.reduce((bytes, path) => bytes + world.worker.lstat(path).size, 0)).toBeLessThanOrEqual(bytesMax)
    }
    // An honest master continues after what was staged, which does not fit; then the whole file is sent.
    const next = await world.round()
    if (next.failures.length > 0) expect(next.failures).toEqual(['digestMismatch'])
    await world.round()
    expect(world.worker.contentOf(`${home}/${first}`).equals(content)).toBe(true)
    expect(leftInStage(world)).toBe(0)
    await world.stop()
  })
})

describe('a master whose file is larger than the disk', () => {
  it('sends no byte of it, and all other files; the failure is the same in each round', async () => {
    let freeBytes = limits.diskReserveBytes + content.length
    let staged = 0
    const world = await setUp({
      workerFiles: (files) => ({
        ...files,
        freeBytes: () => Promise.resolve(freeBytes),
        stage: (block, digests, signal) => {
          staged += block.byteLength
          return files.stage(block, digests, signal)
        },
      }),
    })
    world.master.edit(`${home}/${first}`, noise(4, content.length + 1))
    world.master.edit(`${home}/${second}`, small)
    for (let round = 0; round < 3; round++) expect((await world.round()).failures).toEqual(['diskFull'])
    expect(world.worker.contentOf(`${home}/${second}`).equals(small)).toBe(true)
    expect(staged).toBeLessThan(1_000)
    freeBytes += 1
    expect((await world.round()).failures).toEqual([])
    expect(world.worker.contentOf(`${home}/${first}`).byteLength).toBe(content.length + 1)
    await world.stop()
  })
})

describe('a file that grows while it is sent', () => {
  it('fails no other file, and arrives in the next round', async () => {
    const grown = noise(3, 5 * content.length + limits.fetchSlackBytes)
    let isGrown = false
    const world = await setUp({
      masterFiles: (files, disk) => ({
        ...files,
        read: (request, signal) => {
          if (!isGrown) disk.edit(`${home}/${second}`, grown)
          isGrown = true
          return files.read(request, signal)
        },
      }),
    })
    world.master.edit(`${home}/${first}`, content)
    world.master.edit(`${home}/${second}`, small)
    expect((await world.round()).failures).toEqual(['digestMismatch'])
    expect(world.worker.contentOf(`${home}/${first}`).equals(content)).toBe(true)
    expect((await world.round()).failures).toEqual([])
    expect(world.worker.contentOf(`${home}/${second}`).equals(grown)).toBe(true)
    await world.stop()
  })
})
