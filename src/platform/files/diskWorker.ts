/**
 * What runs inside a disk thread: one tree over the real disk, which keeps what it knows from task to task. Blocks of content
 * are moved between the threads, not copied.
 */
import { fdatasync, fdatasyncSync } from 'node:fs'
import { promisify } from 'node:util'
import { workerData } from 'node:worker_threads'
import { limits } from '../../base/limits.js'
import type { ReadContent } from '../../disk/files/content/contentReader.js'
import { type CreateTreeOptions, createTree, type TreeOperation } from '../../disk/files/tree.js'
import { SyncPace } from '../../domain/files/content/syncPace.js'
import type { ContentRequest, Digest, StageOutcome } from '../../domain/files/treeValues.js'
import { createNodeDisk, type FileOwner } from '../machine/nodeDisk.js'
import { answering, calling, isRefusal, type ThreadRefusal } from '../machine/threadAnswer.js'
import { MovedAnswer, runTasks } from '../machine/threadTasks.js'

/** A block that came in, with the digests that were asked for, by index of the file. */
export interface ArrivedBlock {
  readonly block: Uint8Array<ArrayBuffer>
  readonly digests: ReadonlyMap<number, Digest>
}

/** What a thread finds in its workerData. */
export interface DiskWorkerOptions extends CreateTreeOptions {
  /** See createNodeDisk. */
  readonly owner?: FileOwner
}

export interface ReadAnswer {
  readonly block: Uint8Array
  /** Where the request goes on; undefined when all of its files are read. */
  readonly from: ContentRequest['from'] | undefined
}

const { owner, ...options }: DiskWorkerOptions = workerData
const tree = createTree(createNodeDisk(owner), options)

const makeDurable = promisify(fdatasync)

const pace = new SyncPace()

const makeAllDurable = async (files: readonly number[]): Promise<ReadonlyMap<number, unknown>> => {
  const failures = new Map<number, unknown>()
  let done = 0
  for (pace.beginBlock(); pace.isOneByOne; done++) {
    const file = files[done]
    if (file === undefined) return failures
    const startMs = performance.now()
    try {
      fdatasyncSync(file)
    } catch (thrown) {
      failures.set(file, thrown)
    }
    pace.took(performance.now() - startMs)
  }
  await Promise.all(files.slice(done).map((file) => makeDurable(file).catch((thrown: unknown) => failures.set(file, thrown))))
  return failures
}

const stageOne = async ({ block, digests }: ArrivedBlock): Promise<StageOutcome | ThreadRefusal> => {
  const receipt = answering(() => tree.receive(block, (file) => digests.get(file)))
  if (isRefusal(receipt)) return receipt
  const outcome = receipt.settle(await makeAllDurable(receipt.unsynced))
  return { ...outcome, diskWrites: pace.diskWrites }
}

/** A port without another end: memory that is moved to it is freed at once, and not only when this thread collects its garbage. */
const nowhere = new MessageChannel().port1
nowhere.close()

/** One answer for each block, in order. */
const stage = async (blocks: readonly ArrivedBlock[]): Promise<readonly (StageOutcome | ThreadRefusal)[]> => {
  const answers: (StageOutcome | ThreadRefusal)[] = []
  for (const arrived of blocks) {
    answers.push(await stageOne(arrived))
    nowhere.postMessage(undefined, [arrived.block.buffer])
  }
  return answers
}

/** The block that was asked for, and a few of those that will be asked for next. */
const read = ({ firstFile, request }: { request: ContentRequest; firstFile: number }): unknown =>
  answering(() => {
    const answers: ReadAnswer[] = []
    let next: ContentRequest | undefined = request
    while (next && answers.length < limits.contentBlocksPerTaskMax) {
      const content: ReadContent = tree.read(next, firstFile)
      next = content.next
      answers.push({ block: content.block, from: next && { file: firstFile + next.from.file, offset: next.from.offset } })
    }
    return new MovedAnswer(
      answers,
      answers.map(({ block }) => block),
    )
  })

runTasks({ call: calling<TreeOperation>(tree), stage, read })
