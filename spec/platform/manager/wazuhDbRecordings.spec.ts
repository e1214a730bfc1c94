/** The fake wazuh-db answers every recorded request, in order, as the real 4.14.7 did. */
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { lengthFrame } from '../../../src/wire/wazuh/lengthFrames.js'
import { FakeWazuhDb } from '../../support/manager/wazuhDb/fakeWazuhDb.js'
import { WazuhDbClient } from '../../support/manager/wazuhDb/wazuhDbClient.js'
import {
  type RecordedCommand,
  type RecordedHttp,
  recordedCommands,
  recordedHttp,
  recordedPages,
  withoutVolatile,
} from '../../support/manager/wazuhDb/wazuhDbRecordings.js'

const within = async (role: 'master' | 'worker', use: (fake: FakeWazuhDb, home: string) => Promise<void>): Promise<void> => {
  const home = mkdtempSync(join(tmpdir(), 'muster-wdb-'))
  const fake = new FakeWazuhDb({ home, role })
  try {
    await fake.start()
    await use(fake, home)
  } finally {
    await fake.close()
    rmSync(home, { recursive: true })
  }
}

const requestsOf = ({ repeat, request, requestHex, requestParts, requests }: RecordedCommand): readonly Buffer[] => {
  if (requestHex !== undefined) return [Buffer.from(requestHex, 'hex')]
  if (requestParts) return [lengthFrame(Buffer.from(requestParts.map(([text, times]) => text.repeat(times)).join('')))]
  if (requests) return [Buffer.concat(requests.map((text) => lengthFrame(Buffer.from(text))))]
  const numbers = repeat ? Array.from({ length: repeat.to - repeat.from + 1 }, (_, index) => String(repeat.from + index)) : ['']
  return numbers.map((n) => lengthFrame(Buffer.from((request ?? '').replaceAll('{n}', n))))
}

/** Compares each answer, on one connection until it is closed or says nothing any more. */
const replay = async (records: readonly RecordedCommand[], fake: FakeWazuhDb, home: string): Promise<void> => {
  const dial = (): WazuhDbClient => new WazuhDbClient(join(home, 'queue/db/wdb'))
  let client = dial()
  for (const record of records) {
    const expected = record.responses ?? [record.response ?? undefined]
    for (const bytes of requestsOf(record)) {
      const received = fake.received + bytes.length
      client.send(bytes)
      if (record.seen === 'silence') {
        await fake.until(() => fake.received === received)
        expect([record.case, client.pending, client.isClosed]).toEqual([record.case, 0, false])
      } else
        for (const answer of expected) {
          const shown = (text: string | undefined): string => withoutVolatile(text ?? 'closed', record.volatile)
          expect(`${record.case}: ${shown(await client.frame())}`).toBe(`${record.case}: ${shown(answer)}`)
        }
    }
    if (!record.seen) continue
    client.close()
    client = dial()
  }
  client.close()
}

/** A connection to the HTTP socket. */
class HttpConnection {
  readonly #socket: Socket
  readonly #ended: Promise<void>
  #waiting = (): void => {}
  #came: Buffer = Buffer.alloc(0)

  constructor(home: string) {
    this.#socket = connect(join(home, 'queue/sockets/wdb-http.sock'))
    this.#socket.on('data', (bytes: Buffer) => {
      this.#came = Buffer.concat([this.#came, bytes])
      this.#waiting()
    })
    this.#ended = new Promise((resolve) => this.#socket.on('close', () => resolve()))
  }

  /** What comes for these requests: this many bytes of it. */
  async exchange(requests: readonly string[], byteCount: number): Promise<Buffer> {
    this.#came = Buffer.alloc(0)
    for (const request of requests) this.#socket.write(request)
    await new Promise<void>((resolve) => {
      this.#waiting = () => {
        if (this.#came.length >= byteCount) resolve()
      }
      void this.#ended.then(resolve)
    })
    return this.#came
  }

  /** What came, once the server closed it. */
  async whole(): Promise<Buffer> {
    await this.#ended
    return this.#came
  }

  close(): void {
    this.#socket.destroy()
  }
}

const bodyOf = ({ requestBody, requestBodyBuild }: RecordedHttp): string | undefined => {
  if (requestBodyBuild === undefined) return requestBody ?? undefined
  const rows = Array.from({ length: 20_000 }, (_, index) => ({ id: 100_000 + index, version: 'Wazuh v4.14.7' }))
  return JSON.stringify({ syncreq_keepalive: rows })
}

const plainRequest = (record: RecordedHttp): string => {
  const body = bodyOf(record)
  const headers = [
    'Host: localhost',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body ?? '')}`,
    'Connection: close',
  ]
  return `${record.method} ${record.path} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n${body ?? ''}`
}

const plainExchange = async (home: string, record: RecordedHttp): Promise<Buffer> => {
  const connection = new HttpConnection(home)
  void connection.exchange([plainRequest(record)], Number.POSITIVE_INFINITY)
  return connection.whole()
}

/** Versions of the library that zips differ in length. */
const unzipped = (bytes: Buffer): string => {
  const head = headOf(bytes)
  if (!head.includes('Content-Encoding: gzip')) return bytes.toString('hex')
  return `${head.replace(/Content-Length: \d+/, '')} ${gunzipSync(bytes.subarray(bytes.indexOf('\r\n\r\n') + 4)).toString()}`
}

const headOf = (bytes: Buffer): string => bytes.toString('latin1').split('\r\n\r\n')[0] ?? ''

describe('the fake wazuh-db', () => {
  it.each(['worker', 'master', 'threads'] as const)('answers the recorded commands of the sequence %s', (sequence) =>
    within(sequence === 'master' ? 'master' : 'worker', async (fake, home) => {
      // The threads were recorded with the database that the worker's sequence had left.
      if (sequence === 'threads') for (const group of ['default', 'web']) fake.insertGroup(group)
      const records = recordedCommands().filter(({ db }) => db === sequence)
      expect(records.length).toBeGreaterThan(10)
      await replay(records, fake, home)
      expect(fake.threads).toBe({ worker: 8, master: 7, threads: 0 }[sequence])
    }),
  )

  it('answers the recorded commands whose answers need several pages', () =>
    within('master', (fake, home) => replay(recordedPages(), fake, home)))

  it('answers the recorded requests over HTTP', () =>
    within('master', async (fake, home) => {
      for (const record of recordedHttp()) {
        const shown = (text: string): string => `${record.case}: ${withoutVolatile(text, record.volatile)}`
        if (record.stream) expect(shown(fake.command(record.stream.request))).toBe(shown(record.stream.response))
        else if (!record.rawRequests) {
          const bytes = await plainExchange(home, record)
          const head = [`HTTP/1.1 ${record.status}`, ...(record.responseHeaders ?? []).map((header) => header.join(': '))]
          expect(shown(headOf(bytes).replace(/^(HTTP\/1\.1 \d+)[^\r]*/, '$1'))).toBe(shown(head.join('\r\n')))
          expect(shown(bytes.toString().slice(bytes.toString().indexOf('\r\n\r\n') + 4))).toBe(shown(record.responseBody ?? ''))
        }
      }
    }))

  it('answers the recorded connections over HTTP to the byte, once unzipped', () =>
    within('master', async (fake, home) => {
      let connection: { readonly name: string; readonly http: HttpConnection } | undefined
      for (const record of recordedHttp()) {
        if (record.stream) fake.command(record.stream.request)
        else if (!record.rawRequests) await plainExchange(home, record)
        else {
          // Those of the same name are one connection.
          if (connection?.name !== record.case) {
            connection?.http.close()
            connection = { name: record.case, http: new HttpConnection(home) }
          }
          const wanted = Buffer.from(record.rawResponseHex ?? '', 'hex')
          const bytes = record.serverClosed ? undefined : await connection.http.exchange(record.rawRequests, wanted.length)
          if (record.serverClosed) void connection.http.exchange(record.rawRequests, wanted.length)
          const came = bytes ?? (await connection.http.whole())
          expect(`${record.case}: ${unzipped(came)}`).toBe(`${record.case}: ${unzipped(wanted)}`)
        }
      }
      connection?.http.close()
    }))
})
