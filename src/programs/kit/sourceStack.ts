/** Stacks that name our sources: what runs is a bundle, with a source map beside it. */
import { readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { fileURLToPath } from 'node:url'

const place = /(file:\/\/[^\s()]+\.js):(\d+):(\d+)/g

/** The stack of an error, each place in a bundle replaced by its place in the source, such as `src/actors/node.ts:12:3`. */
export const sourceStack = (stack: string): string =>
  stack.replaceAll(place, (said: string, file: string, line: string, column: string) => {
    const entry = mapOf(file)?.findEntry(Number(line) - 1, Number(column) - 1)
    if (entry === undefined || !('originalSource' in entry)) return said
    return `${entry.originalSource.replace(/^(\.\.\/)+/, '')}:${entry.originalLine + 1}:${entry.originalColumn + 1}`
  })

/** Read at a crash only: with `--enable-source-maps` each thread reads all of them at its start and keeps them. */
const mapOf = (file: string): SourceMap | undefined => {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${fileURLToPath(file)}.map`, 'utf8')))
  } catch {
    return undefined
  }
}
