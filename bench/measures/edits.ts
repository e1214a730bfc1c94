/** Edits of single files, one after the other, and how long each takes until a worker's disk is right. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemMs } from '../systemClock.js'
import { writeSynced } from '../trees.js'
import { sleep } from '../workshop.js'

export const editCount = 50
const pollMs = 2
const patienceMs = 15_000
const contentBytes = 2_000
const pauseMs = { min: 100, spread: 200 }

export const untilContent = async (file: string, content: Buffer): Promise<void> => {
  const startMs = systemMs()
  for (;;) {
    // Replaced by a rename; if the file is missing for a moment, that is not the benchmark's mistake.
    try {
      if (readFileSync(file).equals(content)) return
    } catch (thrown) {
      if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT')) throw thrown
    }
    if (systemMs() - startMs > patienceMs) throw new Error(`An edit did not arrive within ${patienceMs / 1000} s`)
    await sleep(pollMs)
  }
}

export const newContent = (edit: number): Buffer =>
  Buffer.concat([Buffer.from(`<!-- edit ${edit} -->\n`), Buffer.alloc(contentBytes, `<rule id="${edit}"/>\n`)])

/**
 * Milliseconds of each edit, from the end of the write.
 *
 * @param first the number of the first edit: another one makes other content
 * @param wantedOf what the worker's file must hold after an edit
 */
export const timeEdits = async (
  paths: readonly string[],
  {
    edited,
    first = 0,
    wantedOf,
    worker,
  }: { edited: string; worker: string; wantedOf: (path: string, content: Buffer) => Buffer; first?: number },
): Promise<readonly number[]> => {
  const took: number[] = []
  for (let edit = 0; edit < editCount; edit++) {
    const path = paths[Math.floor(((edit + 0.5) / editCount) * paths.length)] ?? ''
    const content = newContent(first + edit)
    const wanted = wantedOf(path, content)
    writeSynced(edited, path, [content])
    const startMs = systemMs()
    await untilContent(join(worker, path), wanted)
    took.push(systemMs() - startMs)
    await sleep(pauseMs.min + Math.random() * pauseMs.spread)
  }
  return took
}
