/** What stands below the row of a node that was opened: why it is as it is, its files, when it last did what, its events. */
import { escapeText } from '../../base/escapeText.js'
import { ageText, bytesText, countText, utcText } from '../../domain/api/overview/figureTexts.js'
import type { NodeRow } from '../../domain/api/overview/nodeOrder.js'
import type { ClusterEvent } from '../../domain/queries/clusterAnswer.js'
import { html, setChildren, setText } from '../elements.js'
import type { HealthStatus, LogLine, NodeFiles } from '../service.js'

export interface DetailsService {
  files(node: string): Promise<NodeFiles>
  health(node: string): Promise<HealthStatus | undefined>
  logLines(node: string): Promise<readonly LogLine[]>
}

/** What was fetched of a node, or why it was not. */
type Fetched<T> =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'known'; readonly value: T }
  | { readonly kind: 'refused'; readonly reason: string }

interface Synced {
  readonly files: NodeFiles
  readonly health: HealthStatus | undefined
}

const eventsShownMax = 8
/** What is open is asked again after this long, too. */
const refetchMs = 10_000
const nothing = { kind: 'nothing' } as const

const fetched = async <T>(asked: Promise<T>): Promise<Fetched<T>> => {
  try {
    return { kind: 'known', value: await asked }
  } catch (error) {
    return { kind: 'refused', reason: error instanceof Error ? error.message : String(error) }
  }
}

const ageOf = (moment: string, nowMs: number): string => {
  const ms = Date.parse(moment)
  return Number.isNaN(ms) ? 'never' : `${ageText(nowMs - ms)} ago`
}

const heading = (text: string) => html('h3', {}, text)

const term = (name: string, value: string) => html('div', {}, html('dt', {}, name), html('dd', {}, value))

const factsOf = ({ node, rates }: NodeRow) =>
  html(
    'dl',
    { class: 'facts' },
    term('Name', escapeText(node.name)),
    term('Address', escapeText(node.address)),
    term('Version', escapeText(node.version)),
    ...(node.muster === undefined ? [] : [term('Muster', escapeText(node.muster))]),
    term(node.isConnected ? 'Here since' : 'Gone since', utcText(node.sinceMs)),
    term('Sent to it', `${bytesText(node.bytesSent)}${rates ? `, ${bytesText(rates.sent)}/s` : ''}`),
    term('Received from it', `${bytesText(node.bytesReceived)}${rates ? `, ${bytesText(rates.received)}/s` : ''}`),
    ...(node.certificateEndsMs === undefined ? [] : [term('Certificate ends', utcText(node.certificateEndsMs))]),
  )

const lastTimes = (health: HealthStatus, nowMs: number) =>
  html(
    'dl',
    { class: 'facts' },
    term('Files compared', ageOf(health.last_check_integrity.date_end_master, nowMs)),
    term('Files synced', ageOf(health.last_sync_integrity.date_end_master, nowMs)),
    term('Agents reported', ageOf(health.last_sync_agentinfo.date_end_master, nowMs)),
    term('Groups sent', ageOf(health.last_sync_agentgroup.date_end, nowMs)),
  )

const filesTable = ({ rows, summary, total }: NodeFiles) => {
  const lines = rows.map(({ code, error, file, state }) =>
    html(
      'tr',
      { class: state === 'failed' ? 'is-bad' : 'is-busy' },
      html('td', { class: 'state-word' }, state),
      html('td', { class: 'path' }, escapeText(file)),
      html('td', { class: 'reason' }, error ?? '', ...(code === undefined ? [] : [' ', html('code', {}, code)])),
    ),
  )
  const hidden = total - rows.length
  const unnamed = summary?.failuresLeftOut ?? 0
  return [
    html(
      'table',
      { class: 'files' },
      html('thead', {}, html('tr', {}, html('th', {}, 'State'), html('th', {}, 'File'), html('th', {}, 'Why'))),
      html('tbody', {}, ...lines),
    ),
    ...(hidden > 0 ? [html('p', { class: 'hint' }, `${countText(hidden)} more are not shown: cluster_control -f lists all.`)] : []),
    ...(unnamed > 0 ? [html('p', { class: 'hint' }, `${countText(unnamed)} more failed, and the node did not name them.`)] : []),
  ]
}

const notKnown = (asked: Exclude<Fetched<unknown>, { readonly kind: 'known' }>): readonly Element[] =>
  asked.kind === 'nothing' ? [html('p', { class: 'hint' }, 'Asking…')] : [html('p', { class: 'error' }, asked.reason)]

const filesOf = (row: NodeRow, synced: Fetched<Synced>): readonly Element[] => {
  const { node } = row
  if (node.type === 'master') return [html('p', {}, `The files of the master are the ones that all others take: ${countText(node.files)}.`)]
  if (!node.isConnected) return [html('p', {}, 'It is away: nothing is known of its files.')]
  if (synced.kind !== 'known') return notKnown(synced)
  const { files } = synced.value
  const { error } = files.summary ?? {}
  const why = error === undefined ? [] : [html('p', { class: 'error' }, error)]
  if (files.rows.length > 0) return [...why, ...filesTable(files)]
  if (why.length > 0) return why
  const isSame = `All ${countText(node.files)} files are as the master has them.`
  return [html('p', {}, node.inSync ? isSame : 'Which files differ is not known yet.')]
}

const eventsOf = (node: string, events: readonly ClusterEvent[], nowMs: number): readonly Element[] => {
  const own = events.filter((event) => event.node === node).slice(0, eventsShownMax)
  if (own.length === 0) return [html('p', { class: 'hint' }, 'No event is remembered.')]
  return [html('ul', { class: 'plain' }, ...own.map(({ atMs, level, message }) => said(level, `${ageText(nowMs - atMs)} ago`, message)))]
}

/** Whatever the level is called: a class of the page's own for those that it knows. */
const said = (level: string, when: string, message: string): Element => {
  const word = level === 'info' ? [] : [html('span', { class: 'level' }, level), ' ']
  const known = ['error', 'warning'].includes(level) ? `is-${level}` : 'is-info'
  return html('li', { class: known }, html('span', { class: 'age' }, when), ' ', ...word, message)
}

const linesOf = (row: NodeRow, asked: Fetched<readonly LogLine[]>, nowMs: number): readonly Element[] => {
  if (!row.node.isConnected) return [html('p', {}, 'It is away: its log is on its own machine.')]
  if (asked.kind !== 'known') return notKnown(asked)
  if (asked.value.length === 0) return [html('p', { class: 'hint' }, 'Nothing was wrong since it was started.')]
  return [html('ul', { class: 'plain' }, ...asked.value.map((line) => said(line.level, ageOf(line.timestamp, nowMs), line.description)))]
}

/** Of one node, from when it is opened until it is closed. */
export class NodeDetails {
  readonly root = html('div', { class: 'details' })
  readonly #service: DetailsService
  readonly #error = html('p', { class: 'error' })
  readonly #files = html('section', { class: 'wide' })
  readonly #facts = html('section')
  readonly #times = html('section')
  readonly #events = html('section')
  readonly #log = html('section', { class: 'wide' })
  #synced: Fetched<Synced> = nothing
  #lines: Fetched<readonly LogLine[]> = nothing
  /** What the last fetch was for: it is done again when the row says something else. */
  #fetchedFor = ''

  constructor(service: DetailsService) {
    this.#service = service
    this.root.append(this.#error, this.#files, this.#facts, this.#times, this.#events, this.#log)
  }

  /** @param isStale nothing is asked then */
  update(row: NodeRow, events: readonly ClusterEvent[], nowMs: number, isStale: boolean): void {
    const { node } = row
    if (!isStale) this.#fetchWhenChanged(row, nowMs)
    setText(this.#error, node.error ?? '')
    this.#error.hidden = node.error === undefined
    const health = this.#synced.kind === 'known' && node.isConnected ? this.#synced.value.health : undefined
    setChildren(this.#files, [heading('Files'), ...filesOf(row, this.#synced)])
    setChildren(this.#facts, [heading('Node'), factsOf(row)])
    this.#times.hidden = health === undefined
    if (health) setChildren(this.#times, [heading('Last times'), lastTimes(health, nowMs)])
    setChildren(this.#events, [heading('Its events'), ...eventsOf(node.name, events, nowMs)])
    setChildren(this.#log, [heading('Last warnings and errors of its log'), ...linesOf(row, this.#lines, nowMs)])
  }

  #fetchWhenChanged({ node }: NodeRow, nowMs: number): void {
    if (!node.isConnected) return
    const wanted = [node.sinceMs, node.pending, node.failed, node.inSync, node.error, Math.floor(nowMs / refetchMs)].join()
    if (wanted === this.#fetchedFor) return
    this.#fetchedFor = wanted
    void this.#fetchLines(node.name)
    if (node.type === 'worker') void this.#fetchSynced(node.name)
  }

  async #fetchSynced(node: string): Promise<void> {
    const asked = Promise.all([this.#service.files(node), this.#service.health(node)])
    this.#synced = await fetched(asked.then(([files, health]) => ({ files, health })))
  }

  async #fetchLines(node: string): Promise<void> {
    this.#lines = await fetched(this.#service.logLines(node))
  }
}
