/**
 * `cluster_control -f`: per worker the files that are not in sync and why. Rows are printed as they come: an answer of any
 * length costs the memory of its first rows, by which the columns are laid out.
 */

import { counted } from '../../base/counted.js'
import { ClusterError } from '../../base/errors.js'
import { escapeText, safeJson } from '../../base/escapeText.js'
import { utcMinute } from '../../base/logText.js'
import type { AnswerLine } from '../../domain/queries/answerLine.js'
import type { FileRow, FilesSummary } from '../../domain/queries/clusterAnswer.js'
import { columnWidths, headerRow, type Row, rowText } from '../kit/table.js'

const laidOutRows = 1_000
const columnCharsMax = 100
const headers = headerRow(['Node', 'File', 'State', 'Error'])

/** What is to be said of a worker besides its rows, of which `shown` were printed. */
const remarkOn = ({ node, inSync, files, pending, failed, failuresLeftOut, error }: FilesSummary, shown: number): string | undefined => {
  const name = escapeText(node)
  if (error !== undefined) return `The files of ${name} are not compared: ${escapeText(error)}`
  if (inSync && pending + failed + failuresLeftOut === 0)
    return files === 1 ? `The file of ${name} is in sync.` : `All ${files} files of ${name} are in sync.`
  const unshown = Math.max(0, pending + failed - shown) + failuresLeftOut
  if (unshown > 0) return `${counted(unshown, 'more file')} of ${name} ${unshown === 1 ? 'is' : 'are'} not in sync.`
  return shown === 0 ? `The files of ${name} have not been compared yet.` : undefined
}

/** What its manager said of its rules; nothing when all was well. */
const rulesetRemarks = ({ node, ruleset }: FilesSummary): readonly string[] => {
  if (!ruleset || (ruleset.isLoaded && ruleset.messages.length === 0)) return []
  const says = ruleset.isLoaded ? 'were loaded with warnings' : 'could not be loaded, and the previous ones are kept'
  const messages = ruleset.messages.map((message) => `  ${escapeText(message)}`)
  return [`The rules of ${escapeText(node)} ${says} (${utcMinute(ruleset.atMs)}):`, ...messages]
}

const cells = ({ node, file, state, code, error }: FileRow): Row => [node, file, state, error ?? code ?? ''].map(escapeText)

export async function* printFiles(answer: AsyncIterable<AnswerLine>): AsyncGenerator<string, void, undefined> {
  const summaries: FilesSummary[] = []
  const shown = new Map<string, number>()
  let widths: readonly number[] | undefined
  let waiting: Row[] = [headers]
  const layOut = function* () {
    widths = columnWidths(waiting, columnCharsMax)
    for (const row of waiting) yield rowText(row, widths)
    waiting = []
  }
  for await (const line of answer) {
    if (line.kind === 'filesOf') summaries.push(line.summary)
    if (line.kind !== 'file' || line.row.state === 'synced') continue
    shown.set(line.row.node, (shown.get(line.row.node) ?? 0) + 1)
    if (widths) yield rowText(cells(line.row), widths)
    else if (waiting.push(cells(line.row)) > laidOutRows) yield* layOut()
  }
  if (waiting.length > 1) yield* layOut()
  const remarks = summaries.flatMap((summary) => [remarkOn(summary, shown.get(summary.node) ?? 0) ?? [], rulesetRemarks(summary)].flat())
  if (summaries.length === 0) remarks.push('There are no workers to show.')
  if (shown.size > 0 && remarks.length > 0) yield '\n'
  for (const remark of remarks) yield `${remark}\n`
}

const rulesetJson = ({ ruleset }: FilesSummary) =>
  ruleset && { at: new Date(ruleset.atMs).toISOString(), loaded: ruleset.isLoaded, messages: ruleset.messages }

const summaryJson = (summary: FilesSummary): string => {
  const { code, error, failed, failuresLeftOut, files, inSync, node, pending } = summary
  const counts = { files, pending, failed, failures_left_out: failuresLeftOut }
  return safeJson({ name: node, in_sync: inSync, ...counts, code, error, ruleset: rulesetJson(summary) })
}

/**
 * `{"nodes": [{"name", "in_sync", "files", "pending", "failed", "failures_left_out", "code", "error", "ruleset", "items": [{"file", "state", "code", "error"}]}]}`,
 * `code` and `error` only where there is one, `ruleset` (`at`, `loaded`, `messages`) after a reload; a row a line. Every worker's rows must follow its summary.
 */
export async function* printFilesJson(answer: AsyncIterable<AnswerLine>): AsyncGenerator<string, void, undefined> {
  let current: string | undefined
  let rows = 0
  yield '{"nodes": ['
  for await (const line of answer) {
    if (line.kind === 'filesOf') {
      yield `${current === undefined ? '' : `${rows > 0 ? '\n' : ''}]},`}\n${summaryJson(line.summary).slice(0, -1)},"items":[`
      current = line.summary.node
      rows = 0
    }
    if (line.kind !== 'file') continue
    const { node, file, state, code, error } = line.row
    if (node !== current) throw new ClusterError('malformed', { message: `A file of ${node} came without the summary of its node` })
    yield `${rows++ > 0 ? ',' : ''}\n${safeJson({ file, state, code, error })}`
  }
  yield current === undefined ? ']}\n' : `${rows > 0 ? '\n' : ''}]}\n]}\n`
}
