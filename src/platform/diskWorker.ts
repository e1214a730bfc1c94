/**
 * What runs inside a disk thread: one tree over the real disk, which keeps what it knows from task to task. Blocks of content
 * are moved between the threads, not copied.
 */
import { fdatasync } from 'node:fs'
import { promisify } from 'node:util'
import { move, transferableSymbol, valueSymbol, workerData } from 'piscina'
import type { AppliedPlan, ContentRequest, Digest, ScanPage, StageOutcome } from '../domain/tree.js'
import { ClusterError } from '../errors.js'
import type { Plan } from '../tree/planApplier.js'
import { type CreateTreeOptions, createTree } from '../tree/tree.js'
import { createNodeDisk } from './nodeDisk.js'

/** A ClusterError as it crosses threads, which know only plain errors. */
export interface ThreadRefusal {
  readonly refused: { readonly code: string; readonly message: string }
}

export interface ReadAnswer {
  readonly block: Uint8Array
  readonly from: ContentRequest['from'] | undefined
}

const options: CreateTreeOptions = workerData
const tree = createTree(createNodeDisk(), options)

const answering = <T>(answer: () => T): T | ThreadRefusal => {
  try {
    return answer()
  } catch (thrown) {
    if (thrown instanceof ClusterError) return { refused: { code: thrown.code, message: thrown.message } }
    throw thrown
  }
}

export const scan = (paths: readonly string[] | undefined): ScanPage | ThreadRefusal => answering(() => tree.scan(paths))
export const nextPage = (): ScanPage | ThreadRefusal => answering(() => tree.nextPage())
export const apply = (plan: Plan): AppliedPlan | ThreadRefusal => answering(() => tree.apply(plan))
export const staged = (digests: readonly Digest[]): readonly number[] | ThreadRefusal => answering(() => tree.staged(digests))
export const clearStage = (): null | ThreadRefusal =>
  answering(() => {
    tree.clearStage()
    return null
  })

const makeDurable = promisify(fdatasync)

/** The files of a block are made durable at the same time: the file system writes its journal once for several of them. */
export const stage = async (task: { block: Uint8Array; digests: ReadonlyMap<number, Digest> }): Promise<StageOutcome | ThreadRefusal> => {
  const receipt = answering(() => tree.receive(task.block, (file) => task.digests.get(file)))
  if ('refused' in receipt) return receipt
  const failures = new Map<number, unknown>()
  await Promise.all(receipt.unsynced.map((file) => makeDurable(file).catch((thrown: unknown) => failures.set(file, thrown))))
  return receipt.settle(failures)
}

export const read = ({ firstFile, request }: { request: ContentRequest; firstFile: number }): unknown =>
  answering(() => {
    const { block, next } = tree.read(request, firstFile)
    const answer: ReadAnswer = { block, from: next?.from }
    return move({
      get [transferableSymbol]() {
        return [block.buffer]
      },
      get [valueSymbol]() {
        return answer
      },
    })
  })
