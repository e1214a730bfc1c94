/** A reader of the text format of Prometheus, stricter than Prometheus itself: every line is a comment of ours or a sample. */

export interface ParsedSample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const sampleLine = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/s
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/gy
const number = /^(NaN|[+-]?Inf|[+-]?[0-9.]+(e[+-]?[0-9]+)?)$/

const unescaped = (text: string): string => text.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character))

const labelsOf = (text: string, line: string): Record<string, string> => {
  const labels: [string, string][] = []
  let read = 0
  for (const match of text.matchAll(label)) {
    const [whole, name = '', value = ''] = match
    labels.push([name, unescaped(value)])
    read += whole.length
  }
  if (read !== text.length) throw new Error(`Not labels: ${line}`)
  return Object.fromEntries(labels)
}

export const parsedMetrics = (text: string) => {
  const help = new Map<string, string>()
  const types = new Map<string, string>()
  const samples: ParsedSample[] = []
  for (const line of text.split('\n')) {
    if (line === '') continue
    const [, kind, name = '', says = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? []
    if (kind) {
      const known = kind === 'HELP' ? help : types
      if (known.has(name)) throw new Error(`Twice: ${line}`)
      known.set(name, says)
      continue
    }
    const [, sampleName = '', labels = '', value = ''] = sampleLine.exec(line) ?? []
    if (sampleName === '' || !number.test(value)) throw new Error(`Not a sample: ${line}`)
    samples.push({ name: sampleName, labels: labelsOf(labels, line), value: Number(value.replace('Inf', 'Infinity')) })
  }
  const sampleValue = (name: string, labels: Record<string, string> = {}): number | undefined =>
    samples.find((sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value))?.value
  return { help, types, samples, sampleValue }
}
