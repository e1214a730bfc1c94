/** The HTTP service of the node that the page comes from. */
import type { FileRow, FilesSummary } from '../domain/queries/clusterAnswer.js'
import { ServiceError } from './serviceError.js'

/** Of one node, as Wazuh writes it: `n/a` for what did not happen yet. */
export interface HealthStatus {
  readonly last_check_integrity: { readonly date_start_master: string; readonly date_end_master: string }
  readonly last_sync_integrity: { readonly date_start_master: string; readonly date_end_master: string }
  readonly last_sync_agentinfo: { readonly date_end_master: string; readonly n_synced_chunks: number }
  readonly last_sync_agentgroup: { readonly date_end: string; readonly n_synced_chunks: number }
}

export interface NodeFiles {
  readonly rows: readonly FileRow[]
  readonly summary: FilesSummary | undefined
  /** Rows there are. */
  readonly total: number
}

/** Of the log of a node. */
export interface LogLine {
  readonly timestamp: string
  readonly level: string
  readonly description: string
}

/** Files of one node that are asked for. */
const filesShownMax = 500
const linesShownMax = 10

/** The page stands one level below the API, wherever that is. */
const apiUrl = (path: string): URL => new URL(`../${path}`, document.baseURI)

/** An answer that is not one of success is thrown as what it says of itself. */
const answered = async (response: Response): Promise<Response> => {
  if (response.ok) return response
  const problem: unknown = await response.json().catch(() => undefined)
  const detail = problem && typeof problem === 'object' && 'detail' in problem ? problem.detail : undefined
  throw new ServiceError(response.status, typeof detail === 'string' ? detail : `The node answered ${response.status}.`)
}

const got = async (url: URL, signal?: AbortSignal): Promise<Response> =>
  answered(await fetch(url, { cache: 'no-store', ...(signal && { signal }) }))

const posted = async (path: string, body: object): Promise<Response> =>
  answered(await fetch(apiUrl(path), { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }))

const ofNode = (path: string, node: string): URL => {
  const url = apiUrl(path)
  url.searchParams.set('nodes_list', node)
  return url
}

export const service = {
  async signIn(user: string, password: string): Promise<void> {
    await posted('page/login', { user, password })
  },

  async signOut(): Promise<void> {
    await posted('page/logout', {})
  },

  async useSession(): Promise<void> {
    await got(apiUrl('page/session'))
  },

  async stream(after: number, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const url = apiUrl('cluster/stream')
    url.searchParams.set('after', String(after))
    const { body } = await got(url, signal)
    if (!body) throw new ServiceError(200, 'The node sent no stream.')
    return body
  },

  /** Those that are not synced. */
  async files(node: string): Promise<NodeFiles> {
    const url = ofNode('cluster/files', node)
    url.searchParams.set('limit', String(filesShownMax))
    const { data } = await (await got(url)).json()
    return { rows: data.affected_items, total: data.total_affected_items, summary: data.summaries?.[0] }
  },

  /** Its last warnings and errors, the newest first. */
  async logLines(node: string): Promise<readonly LogLine[]> {
    const url = apiUrl(`cluster/${encodeURIComponent(node)}/logs`)
    url.searchParams.set('limit', String(linesShownMax))
    const { data } = await (await got(url)).json()
    const [failed] = data.failed_items
    if (failed) throw new ServiceError(200, failed.error.message)
    return data.affected_items
  },

  /** Undefined for a master, and for a worker that is away. */
  async health(node: string): Promise<HealthStatus | undefined> {
    const { data } = await (await got(ofNode('cluster/healthcheck', node))).json()
    return data.affected_items[0]?.status
  },
}
