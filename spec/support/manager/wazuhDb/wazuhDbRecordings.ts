/** What was recorded of the real wazuh-db 4.14.7: spec/vectors/wazuh/wazuh-db-*.jsonl, whose first lines say how they are read. */
import { readFileSync } from 'node:fs'

export interface RecordedCommand {
  readonly case: string
  readonly db: 'worker' | 'master' | 'threads' | 'paging'
  readonly request?: string | null
  readonly requests?: readonly string[]
  /** Bytes as they were sent. */
  readonly requestHex?: string
  /** Texts, and how often each stands. */
  readonly requestParts?: readonly (readonly [string, number])[]
  readonly response?: string | null
  readonly responses?: readonly string[]
  readonly seen?: 'silence' | 'closed'
  /** The request is sent for each number, in place of `{n}`. */
  readonly repeat?: { readonly from: number; readonly to: number }
  /** Fields made from the clock. */
  readonly volatile?: readonly string[]
}

export interface RecordedHttp {
  readonly case: string
  readonly method?: string
  readonly path?: string
  readonly requestBody?: string | null
  readonly requestBodyBuild?: string
  readonly status?: number
  readonly responseHeaders?: readonly (readonly [string, string])[]
  readonly responseBody?: string
  readonly responseHead?: string
  readonly rawRequests?: readonly string[]
  readonly rawResponse?: string
  readonly rawResponseHex?: string
  readonly serverClosed?: boolean
  readonly stream?: { readonly request: string; readonly response: string }
  readonly volatile?: readonly string[]
}

const records = <T>(name: string): readonly T[] =>
  readFileSync(new URL(`../../../vectors/wazuh/${name}.jsonl`, import.meta.url), 'utf8')
    .split('\n')
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T)

export const recordedCommands = (): readonly RecordedCommand[] => records('wazuh-db-stream')
export const recordedPages = (): readonly RecordedCommand[] => records('wazuh-db-stream-paging')
export const recordedHttp = (): readonly RecordedHttp[] => records('wazuh-db-http')

/** The text with the volatile fields' values as their kinds. */
export const withoutVolatile = (text: string, names: readonly string[] = []): string =>
  names.reduce((shown, name) => shown.replaceAll(new RegExp(`"${name}":\\d+`, 'g'), `"${name}":<number>`), text)
