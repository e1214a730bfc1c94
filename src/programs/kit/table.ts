/** Tables as Wazuh prints them: upper-cased headers, each column as wide as its longest value and two spaces. */

const ascii = /^[\x20-\x7e]*$/
const widthOf = (text: string): number => (ascii.test(text) ? text.length : [...text].length)

export type Row = readonly string[]

/** Characters of each column, gap included. A column is never wider than `widthMax`; longer values then push the rest aside. */
export const columnWidths = (rows: Iterable<Row>, widthMax = Number.POSITIVE_INFINITY): readonly number[] => {
  const widths: number[] = []
  for (const row of rows)
    for (const [at, value] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, Math.min(widthOf(value) + 2, widthMax))
  return widths
}

/** One line, every column padded, the last one too. */
export const rowText = (row: Row, widths: readonly number[]): string =>
  `${row.map((value, at) => value + ' '.repeat(Math.max(2, (widths[at] ?? 0) - widthOf(value)))).join('')}\n`

export const headerRow = (headers: Row): Row => headers.map((header) => header.toUpperCase())

export const tableText = (headers: Row, rows: readonly Row[]): string => {
  const all = [headerRow(headers), ...rows]
  const widths = columnWidths(all)
  return all.map((row) => rowText(row, widths)).join('')
}
