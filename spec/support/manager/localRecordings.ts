/** Recordings of Wazuh's real local clients against a stub of its daemon: what they send, and what the stub sent. */
import { readFileSync } from 'node:fs'

export interface RecordedClientFrame {
  readonly conn: number
  readonly from: 'client'
  readonly hex: string
}

export interface RecordedServerFrame {
  readonly conn: number
  readonly from: 'server'
  readonly counter: number
  /** The field as it was on the wire, one character a byte. */
  readonly command: string
  readonly payload?: string
  /** Of a long one, that goes on with its last character. */
  readonly payloadHead?: string
  readonly payloadBytes?: number
}

export interface LocalRecording {
  readonly name: string
  readonly client: string
  readonly state: string
  readonly frames: readonly (RecordedClientFrame | RecordedServerFrame)[]
}

const lines = readFileSync(new URL('../../vectors/wazuh/local-socket.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .slice(1)

const read = (): readonly LocalRecording[] => {
  const cases = new Map<string, { name: string; client: string; state: string; frames: LocalRecording['frames'][number][] }>()
  for (const line of lines) {
    const { begin, case: name, ...rest } = JSON.parse(line)
    if (begin) cases.set(name, { name, client: rest.client, state: rest.state, frames: [] })
    else if ('from' in rest) cases.get(name)?.frames.push(rest)
  }
  return [...cases.values()]
}

export const localRecordings = read()

export const payloadOf = ({ payload, payloadBytes = 0, payloadHead = '' }: RecordedServerFrame): string =>
  payload ?? payloadHead.padEnd(payloadBytes, payloadHead.at(-1))
