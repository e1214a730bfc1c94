/** Two nodes, and what the cases of the Files suite do between them: scans, reading, a whole sync. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { limits } from '../../base/limits.js'
import { Manifest } from '../../domain/files/manifest.js'
import { decidePlan, writeStepsOf } from '../../domain/files/syncPlan.js'
import type { ContentRequest, FileEntry, ScanPage } from '../../domain/files/treeValues.js'
import type { Files } from '../../ports/files.js'
import type { NodeHome } from './nodeHome.js'

export interface FilesNode {
  readonly files: Files
  readonly home: NodeHome
}

export interface FilesSuite {
  /** The files of a new node with an empty home; created with `suiteItems`, and with a stage below `queue/` of the home. */
  readonly create: (role: 'master' | 'worker') => FilesNode
  /** Waits for a call; files in virtual time let the time pass meanwhile. */
  readonly settle: <T>(call: Promise<T>) => Promise<T>
}

export const going: AbortSignal = new AbortController().signal

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

export class FilesPair {
  readonly master: FilesNode
  readonly worker: FilesNode
  readonly settle: FilesSuite['settle']

  constructor({ create, settle }: FilesSuite) {
    this.master = create('master')
    this.worker = create('worker')
    this.settle = settle
    for (const { home } of [this.master, this.worker]) for (const dir of ['etc/shared', 'etc/rules']) home.mkdir(dir)
  }

  /** Brings a manifest up to date with the disk. */
  readonly scan = async ({ files }: FilesNode, manifest: Manifest, paths?: readonly string[]): Promise<ScanPage> => {
    for (let page = await this.settle(files.scan(paths, going)); ; page = await this.settle(files.nextPage(going))) {
      for (const path of page.removals) manifest.delete(path)
      for (const entry of page.upserts) manifest.set(entry)
      if (page.done) return page
    }
  }

  /** The blocks that the master has for a request. */
  readonly read = (request: ContentRequest): AsyncGenerator<Uint8Array, void, undefined> => this.#blocks(request)

  /** Gives the worker the tree of the master. */
  readonly sync = async (compress: boolean): Promise<void> => {
    const [ours, theirs] = [new Manifest(), new Manifest()]
    await this.scan(this.master, ours)
    await this.scan(this.worker, theirs)
    const plan = decidePlan(entriesOf(ours), entriesOf(theirs))
    const steps = writeStepsOf(plan, theirs)
    const wanted = steps.filter((step) => step.from.kind === 'stage')
    const digests = [...new Set(wanted.map((step) => step.digest))]
    const { files, home } = this.worker
    const offsets = await this.settle(files.staged(digests, going))
    const missing = digests.map((digest, index) => ({
      path: wanted.find((step) => step.digest === digest)?.path ?? '',
      digest,
      offset: offsets[index] ?? 0,
    }))
    const complete = new Set<number>()
    for await (const block of this.read({ files: missing, from: { file: 0, offset: missing[0]?.offset ?? 0 }, compress })) {
      assert.ok(block.length <= limits.streamChunkBytesMax)
      const outcome = await this.settle(files.stage(block, digests, going))
      assert.deepEqual(outcome.failed, [])
      for (const index of outcome.complete) complete.add(index)
    }
    assert.equal(complete.size, digests.length)
    const applied = await this.settle(files.apply({ writes: steps, removals: plan.remove }, going))
    assert.deepEqual(applied.failures, [])
    await this.settle(files.clearStage(going))
    assert.deepEqual(home.filesBelow('etc'), this.master.home.filesBelow('etc'))
    assert.deepEqual(home.filesBelow('queue'), new Map())
  }

  async *#blocks(first: ContentRequest): AsyncGenerator<Uint8Array, void, undefined> {
    let request: ContentRequest | undefined = first
    while (request) {
      const { block, next }: Awaited<ReturnType<Files['read']>> = await this.settle(this.master.files.read(request, going))
      yield block
      request = next
    }
  }

  async end(): Promise<void> {
    for (const { files, home } of [this.master, this.worker]) {
      await this.settle(files.close())
      home.dispose()
    }
  }
}

const entriesOf = (manifest: Manifest): Map<string, FileEntry> => new Map([...manifest.entries()].map((entry) => [entry.path, entry]))
