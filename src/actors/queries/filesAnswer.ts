/** What cluster_control -f is answered of one worker: its files in order of the paths, made as they are read. */

import { inOrder } from '../../base/inOrder.js'
import { limits } from '../../base/limits.js'
import type { FileState, WorkerState } from '../../domain/cluster/workerState.js'
import { heldReason } from '../../domain/files/lastingFile.js'
import { bucketCount, type Manifest } from '../../domain/files/manifest.js'
import type { FileEntry } from '../../domain/files/treeValues.js'
import type { AnswerLine } from '../../domain/queries/answerLine.js'
import type { Turns } from '../kit/turns.js'

const heldRow = (entry: FileEntry): FileState => ({ state: 'failed', error: { code: 'fileFailed', message: heldReason(entry) } })

export interface FilesQuestion {
  readonly node: string
  readonly state: WorkerState
  readonly manifest: Manifest
  /** Those in sync too. */
  readonly all: boolean
}

export async function* filesAnswer({ all, manifest, node, state }: FilesQuestion, turns: Turns): AsyncGenerator<AnswerLine> {
  const { failuresLeftOut, files, inSync, isCompared, refusal, ruleset } = state
  let rows = 0
  let failed = 0
  let heldFiles = 0
  // Lists of a size that is sorted in one turn, however the paths were chosen.
  const lists: (readonly string[])[] = []
  let list: string[] = []
  const add = (path: string): void => {
    rows += 1
    if (list.length === 0) lists.push(list)
    if (list.push(path) < limits.stepsPerTurnMax) return
    list.sort()
    list = []
  }
  for (const [path, row] of files) {
    if (turns.isOver()) await turns.next()
    if (row.state === 'failed') failed += 1
    add(path)
  }
  for (const path of manifest.heldPaths) {
    if (turns.isOver()) await turns.next()
    if (files.has(path)) continue
    heldFiles += 1
    add(path)
  }
  list.sort()
  failed += heldFiles
  yield {
    kind: 'filesOf',
    summary: {
      node,
      inSync: inSync && heldFiles === 0,
      files: manifest.files,
      pending: rows - failed,
      failed,
      failuresLeftOut,
      ...(refusal && { code: refusal.code, error: refusal.message }),
      ...(ruleset && { ruleset: { ...ruleset, messages: [...ruleset.messages] } }),
    },
  }
  for (let index = 0; all && index < bucketCount; index++) {
    const paths = manifest.sortedPaths(index)
    lists.push(paths)
    if (turns.isOver(paths.length)) await turns.next()
  }
  const rest: FileState | { readonly state: 'synced' } = isCompared ? { state: 'synced' } : { state: 'pending' }
  for (const file of inOrder(lists)) {
    if (turns.isOver()) await turns.next()
    const entry = manifest.get(file)
    const row = files.get(file) ?? (entry?.held ? heldRow(entry) : rest)
    const error = 'error' in row ? row.error : undefined
    yield { kind: 'file', row: { node, file, state: row.state, ...(error && { code: error.code, error: error.message }) } }
  }
}
