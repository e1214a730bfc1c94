/** The recordings of real enrolments: of agent-auth against a server of the test, and of wazuh-authd against a client of the test. */
import { readFileSync } from 'node:fs'

/** Texts have one character a byte. */
export interface RecordedPart {
  readonly text?: string
  /** A long text: its length, beginning and end. */
  readonly bytes?: number
  readonly head?: string
  readonly tail?: string
  readonly wait_ms?: number
}

export interface RecordedEnrolment {
  readonly case: string
  readonly config?: string
  readonly args?: readonly string[]
  readonly request?: string
  readonly sent?: readonly RecordedPart[]
  readonly answer?: string
  readonly end?: string
  readonly exit?: number | null
  readonly stderr?: string
  readonly client_keys?: string | null
  readonly client_keys_before?: string
  readonly authd_pass?: string
  readonly cluster_answer?: string
  readonly query?: string
}

const read = (): readonly RecordedEnrolment[] =>
  readFileSync(new URL('../../vectors/wazuh/agent-enrolment.jsonl', import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => JSON.parse(line))

const all = read()

export const agentRecordings = all.filter((line) => line.case.startsWith('agent-auth: '))
/** In the order of the sessions, which ran beside each other by their configurations. */
export const serverRecordings = all.filter((line) => line.case.startsWith('authd: ') && !line.case.startsWith('authd: local: '))

/** What long texts are filled with between their beginning and their end. */
const filler = (head: string): string => (head.endsWith('web,we') ? 'web,' : (head.at(-1) ?? 'x'))

export const textOf = ({ bytes, head = '', tail = '', text }: RecordedPart): string => {
  if (text !== undefined || bytes === undefined) return text ?? ''
  const fill = filler(head)
  const start = fill.length === 1 ? head : head.slice(0, head.lastIndexOf(fill) + fill.length)
  const end = fill.length === 1 ? tail : tail.slice(tail.indexOf(fill))
  return `${start}${fill.repeat(Math.floor((bytes - start.length - end.length) / fill.length))}${end}`
}
