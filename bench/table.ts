/** The table that `npm run bench` prints: one line for each figure of a row. */
import { type Figure, isMet, type Row, ratioOf, type Unit } from './row.js'

export interface Result {
  readonly row: Row
  readonly figures: readonly Figure[]
  /** Why there are no figures: a sentence. `crashed` when it is a mistake, not the machine. */
  readonly missing?: { readonly sentence: string; readonly crashed: boolean }
  readonly seconds: number
}

const header = ['row', 'measured', 'peer or limit', 'ratio', 'target', 'met', "Wazuh's daemon"]

const digits = (value: number): number => (value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3)

export const shown = (value: number, unit: Unit): string => {
  const number = value.toLocaleString('en-US', { maximumFractionDigits: digits(Math.abs(value)) }).replaceAll(',', ' ')
  return unit === '/s' ? `${number}/s` : `${number} ${unit}`.trimEnd()
}

const besideText = ({ beside, unit }: Figure): string =>
  'limit' in beside ? `limit ${shown(beside.limit, unit)}` : `${beside.peer}: ${shown(beside.value, unit)}`

const linesOf = ({ row, figures, missing }: Result): string[][] => {
  if (missing) return [[row.name, missing.sentence, '', '', row.target, missing.crashed ? 'FAILED' : 'not measured', '']]
  return figures.map((figure, index) => [
    index === 0 ? row.name + (figure.what && `: ${figure.what}`) : `  ${figure.what}`,
    shown(figure.measured, figure.unit),
    besideText(figure),
    ratioOf(figure).toFixed(2),
    index === 0 ? row.target : '',
    isMet(figure) ? 'yes' : 'MISSED',
    figure.wazuh ?? '',
  ])
}

const numeric = new Set([1, 3])

export const tableOf = (results: readonly Result[]): string => {
  const lines = [header, ...results.flatMap(linesOf)]
  // A sentence in place of figures does not widen its column for all the others.
  const widths = header.map((title, column) =>
    Math.max(title.length, ...lines.filter((line) => line[3] !== '').map((line) => line[column]?.length ?? 0)),
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) =>
        numeric.has(column) && cells[3] !== '' ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd()
  const [first = [], ...rest] = lines
  return [line(first), widths.map((width) => '-'.repeat(width)).join('  '), ...rest.map(line)].join('\n')
}

/** What a reader should know beyond the table: notes, and the targets that were missed. */
export const remarksOf = (results: readonly Result[]): string => {
  const notes = results.flatMap(({ row, figures }) =>
    figures.flatMap(({ what, note }) => (note ? [`  ${row.name}${what && `, ${what}`}: ${note}`] : [])),
  )
  const missed = results.flatMap(({ row, figures }) =>
    figures
      .filter((figure) => !isMet(figure))
      .map((figure) => {
        const name = `${row.name}${figure.what && `, ${figure.what}`}`
        return `  ${name}: ${shown(figure.measured, figure.unit)}, ${besideText(figure)} (target ${row.target})`
      }),
  )
  const absent = results.flatMap(({ row, missing }) => (missing ? [`  ${row.name}: ${missing.sentence}`] : []))
  return [
    ...(notes.length > 0 ? ['Notes:', ...notes] : []),
    ...(absent.length > 0 ? ['Not measured:', ...absent] : []),
    ...(missed.length > 0 ? ['Targets missed:', ...missed] : ['No measured target was missed.']),
  ].join('\n')
}

export const jsonOf = (results: readonly Result[], about: Readonly<Record<string, unknown>>): string =>
  `${JSON.stringify(
    {
      ...about,
      rows: results.map(({ row, figures, missing, seconds }) => ({
        row: row.name,
        target: row.target,
        seconds,
        ...(missing && { missing: missing.sentence }),
        figures: figures.map((figure) => ({ ...figure, ratio: ratioOf(figure), met: isMet(figure) })),
      })),
    },
    undefined,
    2,
  )}\n`
