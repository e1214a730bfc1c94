/** What real agents and the real remoted said to each other, recorded with known keys: spec/vectors/wazuh. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { AgentCipher, type CipherKind } from '../../../src/wire/agents/agentCipher.js'

export interface RecordedLine {
  readonly case: string
  readonly seq: number
  readonly from: 'agent' | 'manager' | 'event' | 'log'
  readonly transport?: 'tcp' | 'udp'
  readonly conn?: number
  readonly event?: string
  readonly note?: string
  /** Of a row in global.db. */
  readonly answer?: string
  readonly hex?: string
  readonly undecrypted?: boolean
  readonly clear_text?: string
  readonly key?: string
  readonly cipher?: CipherKind
  readonly id?: string | null
  readonly pad?: number
  readonly random?: string
  readonly global?: string
  readonly local?: string
  readonly plaintext?: string
  readonly plaintext_base64?: string
  readonly plaintext_bytes?: number
  readonly plaintext_sha256?: string
}

/** A message that was decrypted when it was recorded. */
export interface RecordedMessage extends RecordedLine {
  readonly bytes: Buffer
  readonly key: string
  readonly cipher: CipherKind
}

interface RecordedKey {
  readonly key_no: string
  readonly client_keys: string
  readonly K: string
}

interface Recording {
  readonly keys: readonly RecordedKey[]
  readonly lines: readonly RecordedLine[]
}

export const readRecording = (name: string): Recording => {
  const path = fileURLToPath(new URL(`../../vectors/wazuh/${name}.jsonl`, import.meta.url))
  const [meta, ...lines] = readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
  return { keys: (meta as { keys: RecordedKey[] }).keys, lines: lines as RecordedLine[] }
}

export const recordedEntry = ({
  client_keys,
}: RecordedKey): { readonly id: number; readonly name: string; readonly ip: string; readonly key: string } => {
  const [id = '', name = '', ip = '', key = ''] = client_keys.split(' ')
  return { id: Number(id), name, ip, key }
}

export const recordedCiphers = ({ keys }: Recording): ReadonlyMap<string, AgentCipher> =>
  new Map(keys.map((key) => [key.key_no, new AgentCipher(recordedEntry(key))]))

export const recordedMessages = ({ lines }: Recording): readonly RecordedMessage[] =>
  lines.flatMap((line) => {
    const { cipher, hex, key } = line
    return hex !== undefined && key !== undefined && cipher !== undefined ? [{ ...line, cipher, key, bytes: Buffer.from(hex, 'hex') }] : []
  })

/** Does the text say what was recorded of it? */
export const isRecordedText = (text: Buffer, recorded: RecordedLine): boolean => {
  if (recorded.plaintext !== undefined) return text.equals(Buffer.from(recorded.plaintext))
  if (recorded.plaintext_base64 !== undefined) return text.equals(Buffer.from(recorded.plaintext_base64, 'base64'))
  return text.byteLength === recorded.plaintext_bytes && createHash('sha256').update(text).digest('hex') === recorded.plaintext_sha256
}
