/** The page: what the stream says goes into one state, and all that is shown is made of it, at each message and once a second. */
import { ageText } from '../domain/api/overview/figureTexts.js'
import type { NodeRow } from '../domain/api/overview/nodeOrder.js'
import type { StreamMessage } from '../domain/api/overview/streamMessage.js'
import { masterTimeMs, nothingWatched, type WatchedCluster, withMessage } from '../domain/api/overview/watchedCluster.js'
import { AgentsView } from './agentsView.js'
import { found, setAttribute, setText } from './elements.js'
import { EventsView } from './eventsView.js'
import { type Freshness, freshnessOf } from './freshness.js'
import { HeadlineView, whereText } from './headlineView.js'
import { LiveStream, type PageClock } from './liveStream.js'
import { NodesView } from './nodes/nodesView.js'
import { TopologyView } from './nodes/topologyView.js'
import { service } from './service.js'
import { SignInForm } from './signInForm.js'
import { startThemeButton } from './themeButton.js'

const browserClock: PageClock = {
  now: () => performance.now(),
  pause: (ms, signal) =>
    new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal.addEventListener('abort', done)
    }),
}

const tickMs = 1_000

class Page {
  readonly #stream = new LiveStream({
    open: service.stream,
    useSession: service.useSession,
    clock: browserClock,
    onMessage: (message) => this.#received(message),
    onLife: () => this.#showSoon(),
  })
  readonly #signIn = new SignInForm(service, () => this.#stream.start())
  readonly #headline = new HeadlineView()
  readonly #nodes = new NodesView(service)
  readonly #topology = new TopologyView(found('topology', HTMLElement), (node) => this.#nodes.reveal(node))
  readonly #agents = new AgentsView()
  readonly #events = new EventsView((node) => this.#nodes.reveal(node))
  readonly #freshness = found('freshness', HTMLElement)
  /** Before anything is known of the cluster. */
  readonly #notice = found('notice', HTMLElement)
  readonly #where = found('where', HTMLElement)
  readonly #main = found('cluster', HTMLElement)
  readonly #signOut = found('sign-out', HTMLButtonElement)
  #watched: WatchedCluster = nothingWatched
  /** When it was last known to be true, by the browser's clock; and the master's clock minus it. */
  #knownMs: number | undefined
  #clockMs = 0
  #frame = 0

  start(): void {
    startThemeButton()
    this.#signOut.addEventListener('click', () => void this.#leave())
    document.addEventListener('visibilitychange', () => this.#seen(!document.hidden))
    setInterval(() => {
      this.#stream.check()
      if (!document.hidden) this.#show()
    }, tickMs)
    if (!document.hidden) this.#stream.start()
  }

  /** Showing a page again does not sign anybody in. */
  #seen(isSeen: boolean): void {
    if (this.#stream.life.kind === 'signedOut') return
    if (isSeen) this.#stream.start()
    else this.#stream.pause()
  }

  #received(message: StreamMessage): void {
    this.#watched = withMessage(this.#watched, message)
    if (message.kind === 'overview') this.#clockMs = masterTimeMs(message.overview) - browserClock.now()
    if (this.#watched.overview && this.#watched.problem === undefined) this.#knownMs = browserClock.now()
    this.#showSoon()
  }

  async #leave(): Promise<void> {
    try {
      await service.signOut()
    } catch {
      setText(this.#signOut, 'Sign out failed: try again')
      return
    }
    this.#stream.signOut()
  }

  #showSoon(): void {
    cancelAnimationFrame(this.#frame)
    this.#frame = requestAnimationFrame(() => this.#show())
  }

  #show(): void {
    const { events, overview, problem, rates } = this.#watched
    const { life } = this.#stream
    const silentMs = this.#knownMs === undefined ? undefined : browserClock.now() - this.#knownMs
    const freshness = freshnessOf({ life, problem, silentMs })
    const isSignedOut = life.kind === 'signedOut'
    // Nothing of what one user saw stays for the next.
    if (isSignedOut && overview) location.reload()
    this.#signIn.show(isSignedOut)
    this.#signOut.hidden = isSignedOut || !overview
    this.#main.hidden = isSignedOut || !overview
    this.#showFreshness(freshness, silentMs ?? 0, isSignedOut)
    setText(this.#where, overview && !isSignedOut ? whereText(overview) : '')
    this.#notice.hidden = overview !== undefined || isSignedOut
    setText(this.#notice, freshness.reason)
    if (!overview || isSignedOut) {
      document.title = 'Muster'
      return
    }
    const nowMs = this.#clockMs + browserClock.now()
    const isStale = freshness.kind === 'stale'
    const rows: readonly NodeRow[] = overview.nodes.map((node) => ({ node, rates: isStale ? undefined : rates.get(node.name) }))
    const says = this.#headline.update({ rows, nowMs, freshness, silentMs: silentMs ?? 0, lastEventMs: events[0]?.atMs })
    document.title = `${says} · Muster`
    this.#nodes.update({ rows, events, nowMs, isStale })
    this.#topology.update(rows, nowMs)
    this.#agents.update(rows)
    this.#events.update(events, nowMs)
  }

  #showFreshness({ kind }: Freshness, silentMs: number, isSignedOut: boolean): void {
    const texts = { never: '', live: 'live', stale: `stale since ${ageText(silentMs)}` }
    setText(this.#freshness, isSignedOut ? '' : texts[kind])
    setAttribute(this.#freshness, 'class', `freshness is-${kind}`)
    setAttribute(document.body, 'class', kind === 'stale' && !isSignedOut ? 'stale' : undefined)
  }
}

new Page().start()
