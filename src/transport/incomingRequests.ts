/** The requests that the peer asks: found in the table, checked, handed to their handlers, and answered. */
import { ClusterError, isCrash } from '../base/errors.js'
import { invariant } from '../base/invariant.js'
import type { TrafficKind } from '../domain/cluster/nodeFigures.js'
import type { Handlers, ServeOptions } from '../ports/link.js'
import { decodeBody, encodeErrorReply, encodeReply, isRequestName, type RequestType, requestTypeById } from '../wire/muster/codec.js'
import type { RequestName } from '../wire/muster/messages.js'

interface Service {
  readonly handle: (body: never) => unknown
  readonly onCrash: ServeOptions['onCrash']
}

export interface IncomingRequestsOptions {
  /** Requests whose handlers have not answered yet. */
  readonly servedMax: number
  queue(record: Uint8Array, kind: TrafficKind): void
  countReceived(kind: TrafficKind, bytes: number): void
  countUnknown(): void
}

const isPromise = (value: unknown): value is Promise<unknown> => value instanceof Promise

/** Served by every link itself, unless somebody else does. */
const echo: Service = { handle: (body) => body, onCrash: undefined }

export class IncomingRequests {
  readonly #options: IncomingRequestsOptions
  readonly #services = new Map<RequestName, Service>()
  #serving = 0
  #closed = false

  constructor(options: IncomingRequestsOptions) {
    this.#options = options
  }

  get serving(): number {
    return this.#serving
  }

  serve(handlers: Handlers, options: ServeOptions = {}): () => void {
    const added: [RequestName, Service][] = []
    for (const name of Object.keys(handlers).filter(isRequestName)) {
      const handle = handlers[name]
      if (!handle) continue
      invariant(!this.#services.has(name), `${name} is served by one handler`)
      const service: Service = { handle, onCrash: options.onCrash }
      this.#services.set(name, service)
      added.push([name, service])
    }
    return () => {
      for (const [name, service] of added) if (this.#services.get(name) === service) this.#services.delete(name)
    }
  }

  close(): void {
    this.#closed = true
    this.#services.clear()
  }

  onRequest(id: number, typeId: number, frame: Buffer, from: number, to: number): void {
    const type = requestTypeById(typeId)
    if (!type) {
      this.#options.countUnknown()
      this.#refuse(id, 'control', new ClusterError('unknownMessage', { message: `This node does not know requests of type ${typeId}` }))
      return
    }
    this.#options.countReceived(type.traffic, to - from)
    const body = decodeBody(frame, from, to, type.isRequest)
    if (!body.ok) {
      this.#refuse(id, type.traffic, new ClusterError(body.error.code, { message: `The request ${type.name} has a wrong shape` }))
      return
    }
    const service = this.#services.get(type.name) ?? (type.name === 'session.echo' ? echo : undefined)
    if (!service) {
      this.#refuse(id, type.traffic, new ClusterError('requestFailed', { message: `Nothing serves ${type.name} at the moment` }))
      return
    }
    if (this.#serving >= this.#options.servedMax) {
      this.#refuse(id, type.traffic, new ClusterError('overloaded', { message: `${this.#serving} requests are already being served` }))
      return
    }
    this.#run(id, type, service, body.value)
  }

  #run(id: number, type: RequestType, service: Service, body: unknown): void {
    try {
      // The table's check of this very type has said that it is its request.
      const reply = service.handle(body as never)
      if (isPromise(reply)) this.#answerLater(id, type, service, reply)
      else this.#options.queue(encodeReply(type, id, reply), type.traffic)
    } catch (thrown) {
      this.#failed(id, type, service, thrown)
    }
  }

  #answerLater(id: number, type: RequestType, service: Service, promise: Promise<unknown>): void {
    this.#serving++
    promise
      .then((reply) => {
        if (!this.#closed) this.#options.queue(encodeReply(type, id, reply), type.traffic)
      })
      .catch((thrown: unknown) => this.#failed(id, type, service, thrown))
      .finally(() => {
        this.#serving--
      })
  }

  #failed(id: number, type: RequestType, service: Service, thrown: unknown): void {
    if (thrown instanceof ClusterError && !isCrash(thrown)) {
      this.#refuse(id, type.traffic, thrown)
      return
    }
    this.#refuse(id, type.traffic, new ClusterError('internal', { message: `${type.name} failed unexpectedly on the peer` }))
    service.onCrash?.(thrown, type.name)
  }

  #refuse(id: number, kind: TrafficKind, error: ClusterError): void {
    if (!this.#closed) this.#options.queue(encodeErrorReply(id, error), kind)
  }
}
