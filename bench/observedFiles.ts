/** A node's real files, with a callback after each scan of the whole tree. */
import type { ScanPage } from '../src/domain/files/treeValues.js'
import type { Files } from '../src/ports/files.js'

/** @param onScanned receives the number of files */
export const observedFiles = (files: Files, onScanned: (count: number) => void): Files => {
  let isWhole = false
  const seen = (page: ScanPage): ScanPage => {
    if (page.done && isWhole) onScanned(page.files)
    return page
  }
  return {
    scan: async (paths, signal) => {
      isWhole = paths === undefined
      return seen(await files.scan(paths, signal))
    },
    nextPage: async (signal) => seen(await files.nextPage(signal)),
    wrote: (file, signal) => files.wrote(file, signal),
    watch: (onHint) => files.watch(onHint),
    read: (request, signal) => files.read(request, signal),
    staged: (digests, signal) => files.staged(digests, signal),
    stage: (block, digests, signal) => files.stage(block, digests, signal),
    recipe: (path, digest, signal) => files.recipe(path, digest, signal),
    beginPatch: (start, signal) => files.beginPatch(start, signal),
    fillPatch: (block, ranges, signal) => files.fillPatch(block, ranges, signal),
    finishPatch: (digest, signal) => files.finishPatch(digest, signal),
    apply: (plan, signal) => files.apply(plan, signal),
    rulesetDigests: (signal) => files.rulesetDigests(signal),
    freeBytes: (signal) => files.freeBytes(signal),
    clearStage: (signal) => files.clearStage(signal),
    close: () => files.close(),
  }
}
