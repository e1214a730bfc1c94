/**
 * HTTP calls to HAProxy's Data Plane API. Node's own client does: a call a time to one machine, with an authority, a client's certificate and
 * a bound on what is read; `fetch` takes no authority, and undici, which does, would be a dependency for these hundred lines. No redirect is
 * followed: the password goes to this address only.
 */
import { readFile } from 'node:fs/promises'
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { createSecureContext } from 'node:tls'
import type { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { bareHost, shownEndpoint } from '../net/tcpSocket.js'
import { contextOptions } from '../net/tlsContext.js'
import { askedInVain, balancerSays, reasonOf, stopped } from './balancerFailure.js'

export interface DataPlaneAccess {
  readonly address: string
  readonly port: number
  readonly protocol: 'http' | 'https'
  readonly user: string
  readonly password: string
  /** Of the authorities that may have signed its certificate, or of the certificate itself. */
  readonly certificatePath?: string | undefined
  readonly client?: { readonly certificatePath: string; readonly keyPath: string; readonly keyPassword?: string | undefined } | undefined
}

export interface ApiCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
}

export interface ApiAnswer {
  readonly status: number
  /** Of JSON; the text where it is something else, undefined where there is none. */
  readonly body: unknown
}

export const isDone = ({ status }: ApiAnswer): boolean => status >= 200 && status < 300

const seconds = limits.balancerCallMsMax / 1_000

export class DataPlaneClient {
  /** As sentences name it; without user and password. */
  readonly where: string
  readonly #access: DataPlaneAccess
  readonly #authorization: string
  #agent: HttpAgent | undefined

  constructor(access: DataPlaneAccess) {
    this.#access = access
    this.where = `${access.protocol}://${shownEndpoint({ host: access.address, port: access.port })}`
    this.#authorization = `Basic ${Buffer.from(`${access.user}:${access.password}`).toString('base64')}`
  }

  /** Reads the certificates, again at each opening: new ones are taken. Fails with `balancerFailed`. */
  async open(): Promise<void> {
    this.close()
    // Each call has its own connection: one that was idle may be closed by the other side while it is used.
    const agent = { keepAlive: false, maxSockets: 4 }
    this.#agent = this.#access.protocol === 'http' ? new HttpAgent(agent) : new HttpsAgent({ ...agent, ...(await this.#tls()) })
  }

  /** Fails with `balancerFailed` when there is no whole answer, and with `aborted` when the signal is. */
  call(call: ApiCall, signal: AbortSignal): Promise<ApiAnswer> {
    return new Promise((resolve, reject) => {
      if (signal.aborted || !this.#agent) return reject(stopped())
      const asked = `${call.method} ${call.path}`
      const body = call.body === undefined ? undefined : JSON.stringify(call.body)
      const request = (this.#access.protocol === 'http' ? httpRequest : httpsRequest)(this.#requestOptions(call, body))
      const settle = (finish: () => void): void => {
        clearTimeout(deadline)
        signal.removeEventListener('abort', onAbort)
        request.destroy()
        finish()
      }
      const fail = (error: ClusterError): void => settle(() => reject(error))
      const failWith = (reason: string, cause?: unknown): void => fail(askedInVain(this.where, asked, reason, cause))
      const onAbort = (): void => fail(stopped())
      const deadline = setTimeout(() => failWith(`it did not answer within ${seconds} s`), limits.balancerCallMsMax)
      signal.addEventListener('abort', onAbort, { once: true })
      request.on('error', (cause) => failWith(reasonOf(cause), cause))
      request.on('close', () => failWith('it closed the connection'))
      request.on('response', (response) => {
        readBody(response, (text) => settle(() => resolve({ status: response.statusCode ?? 0, body: text })), failWith)
      })
      request.end(body)
    })
  }

  /** What it said, without the password should it say that. */
  discreet(text: string): string {
    let shown = text
    for (const secret of [this.#authorization.slice('Basic '.length), this.#access.password])
      if (secret !== '') shown = shown.replaceAll(secret, '…')
    return shown
  }

  close(): void {
    this.#agent?.destroy()
    this.#agent = undefined
  }

  #requestOptions({ method, path, query }: ApiCall, body: string | undefined): RequestOptions {
    const { address, port } = this.#access
    const search = query ? `?${new URLSearchParams(query)}` : ''
    return {
      host: bareHost(address),
      port,
      method,
      path: `${path}${search}`,
      agent: this.#agent,
      headers: {
        accept: 'application/json',
        authorization: this.#authorization,
        ...(body !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      },
    }
  }

  async #tls() {
    const { certificatePath, client } = this.#access
    const ca = certificatePath === undefined ? undefined : await this.#read('haproxy_cert', certificatePath)
    const certificate = client && (await this.#read('client_cert', client.certificatePath))
    const key = client && (await this.#read('client_cert_key', client.keyPath))
    try {
      return { secureContext: createSecureContext({ ...contextOptions({ ca }), cert: certificate, key, passphrase: client?.keyPassword }) }
    } catch (thrown) {
      throw balancerSays(this.where, `cannot be spoken to: ${reasonOf(thrown)}`)
    }
  }

  async #read(option: string, path: string): Promise<string> {
    try {
      const text = await readFile(path, 'utf8')
      if (text.length <= limits.configFileBytesMax) return text
    } catch (thrown) {
      throw balancerSays(this.where, `needs the file of "${option}": ${reasonOf(thrown)}`)
    }
    throw balancerSays(this.where, `needs the file of "${option}", but ${path} has more than ${limits.configFileBytesMax} bytes`)
  }
}

const readBody = (response: IncomingMessage, done: (body: unknown) => void, fail: (reason: string, cause?: unknown) => void): void => {
  const parts: Buffer[] = []
  let byteCount = 0
  response.on('data', (bytes: Buffer) => {
    parts.push(bytes)
    byteCount += bytes.length
    if (byteCount > limits.balancerAnswerBytesMax) fail(`its answer has more than ${limits.balancerAnswerBytesMax} bytes`)
  })
  response.on('error', (cause) => fail(reasonOf(cause), cause))
  response.on('end', () => {
    const text = Buffer.concat(parts).toString()
    done(text === '' ? undefined : jsonOrText(text))
  })
}

const jsonOrText = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
