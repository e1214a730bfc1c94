/**
 * The two Data Plane APIs of HAProxy in one table: what differs between them. Version 2 names the parent of a thing in the query and puts
 * what it knows of the configuration into an envelope; version 3 has the parent in the path and no envelope.
 */
import { type TSchema, Type } from 'typebox'
import { shapeOf } from '../../base/shapeOf.js'

/** A path below `/v2` or `/v3`, with its query. */
export interface ApiPath {
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
}

export interface ApiShape {
  readonly version: 'v2' | 'v3'
  readonly binds: (frontend: string) => ApiPath
  readonly servers: (backend: string) => ApiPath
  readonly server: (backend: string, name: string) => ApiPath
  readonly runtimeServers: (backend: string) => ApiPath
  readonly runtimeServer: (backend: string, name: string) => ApiPath
  /** What is in an answer about the configuration. */
  readonly configured: (answer: unknown) => unknown
}

const configuration = '/services/haproxy/configuration'
const runtime = '/services/haproxy/runtime'
const part = encodeURIComponent

export const commonPaths = {
  health: { path: '/health' },
  info: { path: `${runtime}/info` },
  version: { path: `${configuration}/version` },
  transactions: { path: '/services/haproxy/transactions' },
  global: { path: `${configuration}/global` },
  backends: { path: `${configuration}/backends` },
  frontends: { path: `${configuration}/frontends` },
} as const satisfies Record<string, ApiPath>

/** By the ID that it was given; it is a UUID, and read as anything. */
export const transactionPath = (id: string): ApiPath & { readonly id: string } => ({
  id,
  path: `${commonPaths.transactions.path}/${part(id)}`,
})

export const statsPath = (backend: string): ApiPath => ({
  path: '/services/haproxy/stats/native',
  query: { type: 'server', parent: backend },
})

const envelope = shapeOf(Type.Object({ data: Type.Unknown() }))

export const apiShapes: readonly ApiShape[] = [
  {
    version: 'v3',
    binds: (frontend) => ({ path: `${configuration}/frontends/${part(frontend)}/binds` }),
    servers: (backend) => ({ path: `${configuration}/backends/${part(backend)}/servers` }),
    server: (backend, name) => ({ path: `${configuration}/backends/${part(backend)}/servers/${part(name)}` }),
    runtimeServers: (backend) => ({ path: `${runtime}/backends/${part(backend)}/servers` }),
    runtimeServer: (backend, name) => ({ path: `${runtime}/backends/${part(backend)}/servers/${part(name)}` }),
    configured: (answer) => answer,
  },
  {
    version: 'v2',
    binds: (frontend) => ({ path: `${configuration}/binds`, query: { frontend } }),
    servers: (backend) => ({ path: `${configuration}/servers`, query: { backend } }),
    server: (backend, name) => ({ path: `${configuration}/servers/${part(name)}`, query: { backend } }),
    runtimeServers: (backend) => ({ path: `${runtime}/servers`, query: { backend } }),
    runtimeServer: (backend, name) => ({ path: `${runtime}/servers/${part(name)}`, query: { backend } }),
    configured: (answer) => (envelope.Check(answer) ? answer.data : undefined),
  },
]

/** Of answers, what is used of them: HAProxy adds more with each version. A field without a value may be left out or null. */
const absent = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()]))
const nameOf = { name: Type.String() }

export const answerShapes = {
  version: shapeOf(Type.Integer({ minimum: 0 })),
  transaction: shapeOf(Type.Object({ id: Type.String({ minLength: 1, maxLength: 128 }) })),
  global: shapeOf(Type.Object({ hard_stop_after: absent(Type.Integer()) })),
  backends: shapeOf(Type.Array(Type.Object(nameOf))),
  frontends: shapeOf(Type.Array(Type.Object({ ...nameOf, default_backend: absent(Type.String()) }))),
  binds: shapeOf(Type.Array(Type.Object({ port: absent(Type.Integer()), 'port-range-end': absent(Type.Integer()) }))),
  servers: shapeOf(Type.Array(Type.Object({ ...nameOf, address: Type.String(), port: absent(Type.Integer()) }))),
  runtimeServers: shapeOf(
    Type.Array(Type.Object({ ...nameOf, admin_state: absent(Type.String()), operational_state: absent(Type.String()) })),
  ),
  failure: shapeOf(Type.Object({ message: Type.String() })),
}

const oneOrMany = <T extends TSchema>(schema: T) => shapeOf(Type.Union([Type.Array(schema), schema]))

/** Version 2 answers with a list, of the runtime API of each process; version 3 with the one. */
export const processShapes = {
  info: oneOrMany(Type.Object({ info: absent(Type.Object({ version: absent(Type.String()) })) })),
  stats: oneOrMany(
    Type.Object({
      stats: absent(
        Type.Array(
          Type.Object({
            ...nameOf,
            backend_name: absent(Type.String()),
            type: absent(Type.String()),
            stats: Type.Object({ scur: absent(Type.Integer({ minimum: 0 })), check_status: absent(Type.String()) }),
          }),
        ),
      ),
    }),
  ),
}
