import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ClusterError } from '../../../../src/base/errors.js'
import { limits } from '../../../../src/base/limits.js'
import type { Tree } from '../../../../src/disk/files/tree.js'
import { bytesIn, recipeRow } from '../../../../src/domain/files/content/contentRecipe.js'
import type { ContentRequest, PatchStart } from '../../../../src/domain/files/treeValues.js'
import { createMemoryWorld, createNodeWorld, type DiskWorld, filesBelow, type MemoryWorld } from '../../../support/files/diskWorlds.js'
import { edited, noise } from '../../../support/files/editedContent.js'
import { synced } from '../../../support/files/treeArbitraries.js'
import { TreeNode } from '../../../support/files/treeNodes.js'

const path = 'etc/rules/large'
const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex')
const codeOf = (act: () => unknown): string => {
  try {
    act()
    return 'none'
  } catch (thrown) {
    if (!(thrown instanceof ClusterError)) throw thrown
    return thrown.code
  }
}

/** Sends new content as the actors do. Returns how many of its bytes would be on the wire; undefined when the patch is of no use. */
const sendPatch = (from: Tree, to: Tree, start: PatchStart, compress = false): number | undefined => {
  const ranges = to.beginPatch(start)
  if (!ranges) return undefined
  const { digest } = start
  const files = ranges.map(({ end, start: offset }) => ({ path: start.path, digest, offset, end }))
  let request: ContentRequest | undefined = files[0] && { files, from: { file: 0, offset: files[0].offset }, compress }
  let sent = start.recipe.chunks.length
  let filled = 0
  while (request) {
    const { block, next }: ReturnType<Tree['read']> = from.read(request)
    filled += to.fillPatch(block, { digest, ranges })
    sent += block.length
    request = next
  }
  expect(filled).toBe(bytesIn(ranges))
  to.finishPatch(digest)
  return sent
}

describe.each([
  { on: 'the real disk', create: createNodeWorld, runs: 10 },
  { on: 'the simulated disk', create: createMemoryWorld, runs: 60 },
])('a patch on $on', ({ create, runs }) => {
  let a: DiskWorld
  let b: DiskWorld
  let master: Tree
  let worker: Tree
  beforeEach(() => {
    a = create()
    b = create()
    master = new TreeNode(a, 'master', synced).tree
    worker = new TreeNode(b, 'worker', synced).tree
  })
  afterEach(() => {
    a.dispose()
    b.dispose()
  })

  const startOf = (content: Buffer): PatchStart => {
    const digest = sha256(content)
    return { path, digest, size: content.length, recipe: master.recipe(path, digest) }
  }
  const stagedPath = (digest: string, ending = ''): string => `queue/cluster/node/${digest}${ending}`

  it('of any edit is the new content, or is of no use', () =>
    fc.assert(
      fc.property(edited({ bytesMin: limits.deltaBytesMin }), fc.boolean(), ({ after, before }, compress) => {
        a.write(path, after)
        b.write(path, before)
        const start = startOf(after)
        const isPatched = sendPatch(master, worker, start, compress) !== undefined
        expect(worker.staged([start.digest])).toEqual([isPatched ? after.length : 0])
        if (isPatched) expect(b.disk.lstat(`${b.home}/${stagedPath(start.digest)}`).size).toBe(after.length)
        expect(b.exists(stagedPath(start.digest, '.patch'))).toBe(false)
        expect(b.read(path)).toBe(before.toString('utf8'))
        worker.clearStage()
      }),
      { numRuns: runs },
    ))

  it('needs little more than what changed', () => {
    const before = noise(1, 1_000_000)
    const after = Buffer.concat([before.subarray(0, 500_000), Buffer.from('inserted'), before.subarray(500_000)])
    a.write(path, after)
    b.write(path, before)
    const sent = sendPatch(master, worker, startOf(after))
    expect(sent).toBeLessThan(after.length * 0.02)
  })

  it('needs nothing but the recipe for content that is moved about', () => {
    const [one, other] = [noise(1, 300_000), noise(2, 300_000)]
    b.write(path, Buffer.concat([one, other]))
    const after = Buffer.concat([other, one, other])
    a.write(path, after)
    expect(sendPatch(master, worker, startOf(after))).toBeLessThan(after.length * 0.1)
  })

  it('is of no use, and leaves nothing, when most is missing', () => {
    b.write(path, noise(1, 200_000))
    const after = noise(2, 200_000)
    a.write(path, after)
    expect(sendPatch(master, worker, startOf(after))).toBeUndefined()
    expect(filesBelow(b, 'queue')).toEqual(new Map())
  })

  it('gives no content when its file changed after the recipe, and leaves nothing', () => {
    const before = noise(1, 200_000)
    b.write(path, before)
    const after = Buffer.concat([before, noise(2, 1_000)])
    a.write(path, after)
    const start = startOf(after)
    a.age()
    a.write(path, Buffer.concat([before, noise(3, 1_000)]))
    expect(codeOf(() => sendPatch(master, worker, start))).toBe('digestMismatch')
    expect(codeOf(() => startOf(after))).toBe('digestMismatch')
    a.write(path, before.subarray(0, 100_000))
    expect(codeOf(() => sendPatch(master, worker, start))).toBe('digestMismatch')
    a.remove(path)
    expect(codeOf(() => sendPatch(master, worker, start))).toBe('fileGone')
    expect(codeOf(() => startOf(after))).toBe('fileGone')
    expect(filesBelow(b, 'queue')).toEqual(new Map())
  })

  it('has no recipe for files that are sent whole, or for what is not a file of the tree', () => {
    for (const bytes of [0, limits.deltaBytesMin - 1]) {
      a.write(path, Buffer.alloc(bytes))
      expect(codeOf(() => startOf(Buffer.alloc(bytes)))).toBe('tooLarge')
    }
    a.mkdir('etc/rules/directory')
    a.write('etc/secret/file', noise(1, 100_000))
    a.symlink('../secret', 'etc/rules/link')
    const digest = sha256(noise(1, 100_000))
    expect(codeOf(() => master.recipe('etc/rules/directory', digest))).toBe('fileGone')
    expect(codeOf(() => master.recipe('etc/rules/none/x', digest))).toBe('fileGone')
    for (const bad of ['etc/rules/link/file', 'etc/secret/file', '../x', 'etc/rules/ar.conf'])
      expect(codeOf(() => master.recipe(bad, digest))).toBe('pathRefused')
  })

  it('has the same recipe for the next worker, and another for other content', () => {
    const content = noise(1, 200_000)
    a.write(path, content)
    const first = startOf(content)
    expect(startOf(content).recipe).toEqual(first.recipe)
    a.age()
    a.write(path, noise(2, 200_000))
    expect(codeOf(() => startOf(content))).toBe('digestMismatch')
    expect(startOf(noise(2, 200_000)).recipe).not.toEqual(first.recipe)
  })

  it('never reads old content through a link, and writes only into the stage', () => {
    const content = noise(1, 200_000)
    a.write(path, content)
    const start = startOf(content)
    b.write('etc/secret/large', content)
    b.symlink('../secret', 'etc/rules/link')
    b.symlink('../secret/large', 'etc/rules/file')
    expect(codeOf(() => worker.beginPatch({ ...start, path: 'etc/rules/link/large' }))).toBe('pathRefused')
    expect(() => worker.beginPatch({ ...start, path: 'etc/rules/file' })).toThrow('ELOOP')
    const bad = { ...start, digest: '../../etc/rules/evil' }
    expect(codeOf(() => worker.beginPatch(bad))).toBe('malformed')
    expect(codeOf(() => worker.fillPatch(new Uint8Array(0), { digest: bad.digest, ranges: [] }))).toBe('malformed')
    expect(codeOf(() => worker.finishPatch(bad.digest))).toBe('malformed')
    expect(codeOf(() => worker.beginPatch({ ...start, size: limits.deltaBytesMax + 1 }))).toBe('malformed')
    expect(filesBelow(b, 'queue')).toEqual(new Map())
  })

  it('accepts no byte that it did not ask for', () => {
    const before = noise(1, 200_000)
    const after = Buffer.concat([before, noise(2, 1_000)])
    a.write(path, after)
    b.write(path, before)
    const start = startOf(after)
    const { digest } = start
    const ranges = worker.beginPatch(start) ?? []
    const [first] = ranges
    if (!first) throw new Error('nothing is missing')
    for (const { end, offset } of [
      { offset: first.start - 1, end: first.end },
      { offset: first.start, end: first.end + 1 },
    ]) {
      a.write(path, Buffer.concat([after, after]))
      const { block } = master.read({ files: [{ path, digest, offset, end }], from: { file: 0, offset }, compress: false })
      worker.beginPatch(start)
      expect(codeOf(() => worker.fillPatch(block, { digest, ranges }))).toBe('malformed')
      worker.beginPatch(start)
      expect(codeOf(() => worker.fillPatch(block, { digest, ranges: [] }))).toBe('malformed')
    }
    expect(codeOf(() => worker.fillPatch(Buffer.from('no block'), { digest, ranges }))).toBe('malformed')
  })
})

describe('a patch on a disk that fails', () => {
  const world = (): { world: MemoryWorld; worker: Tree; start: PatchStart; after: Buffer; master: Tree } => {
    const [home, away] = [createMemoryWorld(), createMemoryWorld()]
    const before = noise(1, 200_000)
    const after = Buffer.concat([before, Buffer.from('a line')])
    home.write(path, after)
    away.write(path, before)
    const master = new TreeNode(home, 'master', synced).tree
    const digest = sha256(after)
    const start = { path, digest, size: after.length, recipe: master.recipe(path, digest) }
    return { world: away, worker: new TreeNode(away, 'worker', synced).tree, start, after, master }
  }

  it.each(['open', 'write', 'sync', 'rename', 'read'] as const)('in %s leaves nothing staged and no file open', (operation) => {
    const { master, start, world: away, worker } = world()
    const heal = away.disk.fail({ operation, code: 'EIO' })
    expect(() => sendPatch(master, worker, start)).toThrow('EIO')
    heal()
    expect(away.disk.openFiles).toBe(0)
    expect(filesBelow(away, 'queue')).toEqual(new Map())
    expect(sendPatch(master, worker, start)).toBeDefined()
    expect(away.disk.openFiles).toBe(0)
  })

  it('of power at any call leaves no partial content, and is cleared away', () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), (step) => {
        const { after, master, start, world: away, worker } = world()
        let steps = 0
        away.disk.onStep = () => {
          if (++steps >= step) throw new Error('crash')
        }
        try {
          sendPatch(master, worker, start)
        } catch (thrown) {
          if (!(thrown instanceof Error && thrown.message === 'crash')) throw thrown
        }
        away.disk.onStep = undefined
        away.disk.crash()
        const staged = `queue/cluster/node/${start.digest}`
        if (away.exists(staged)) expect(away.disk.contentOf(`${away.home}/${staged}`).equals(after)).toBe(true)
        const again = new TreeNode(away, 'worker', synced).tree
        expect(again.staged([start.digest])).toEqual([away.exists(staged) ? after.length : 0])
        again.clearStage()
        expect(filesBelow(away, 'queue')).toEqual(new Map())
      }),
    ))

  it('is refused for a recipe that lies about its chunks', () => {
    const { master, start, worker } = world()
    const lie = Buffer.from(start.recipe.chunks)
    lie.set(recipeRow(Buffer.alloc(lie.readUInt32BE(16))), 0)
    const other = Buffer.from(start.recipe.chunks)
    other.copyWithin(0, 20, 36)
    // Only the first chunk's digest is false: it is fetched, and correct.
    expect(sendPatch(master, worker, { ...start, recipe: { ...start.recipe, chunks: lie } })).toBeDefined()
    worker.clearStage()
    expect(codeOf(() => sendPatch(master, worker, { ...start, recipe: { ...start.recipe, chunks: other } }))).toMatch(
      /malformed|digestMismatch/,
    )
    expect(worker.staged([start.digest])).toEqual([0])
  })
})
