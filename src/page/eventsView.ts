/** The list of events, the newest first. */
import { escapeText } from '../base/escapeText.js'
import { shortened } from '../base/logText.js'
import { ageText, countText, utcText } from '../domain/api/overview/figureTexts.js'
import type { ClusterEvent } from '../domain/queries/clusterAnswer.js'
import { found, html, type ItemView, ItemViews, setText } from './elements.js'

const eventsShownMax = 200
const nameCharsMax = 40

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })

export class EventsView {
  readonly #onlyWrong = found('events-wrong', HTMLInputElement)
  readonly #note = found('events-note', HTMLElement)
  readonly #views: ItemViews<ClusterEvent>
  #events: readonly ClusterEvent[] = []
  #nowMs = 0

  /** @param reveal shows the node that an event is about */
  constructor(reveal: (node: string) => void) {
    this.#views = new ItemViews<ClusterEvent>(
      found('events', HTMLElement),
      ({ atMs, id }) => `${id} ${atMs}`,
      (event) => this.#created(event, reveal),
    )
    this.#onlyWrong.addEventListener('change', () => this.update(this.#events, this.#nowMs))
  }

  update(events: readonly ClusterEvent[], nowMs: number): void {
    this.#events = events
    this.#nowMs = nowMs
    const wanted = this.#onlyWrong.checked ? events.filter(({ level }) => level !== 'info') : events
    const shown = wanted.slice(0, eventsShownMax)
    this.#views.show(shown)
    if (events.length === 0) setText(this.#note, 'Nothing has happened since the node started.')
    else if (shown.length === 0) setText(this.#note, `No warning and no error among the last ${countText(events.length)} events.`)
    else setText(this.#note, shown.length < wanted.length ? `The last ${countText(shown.length)} of ${countText(wanted.length)}.` : '')
    this.#note.hidden = this.#note.textContent === ''
  }

  #created({ atMs, level, message, node }: ClusterEvent, reveal: (node: string) => void): ItemView<ClusterEvent> {
    const age = html('span', { class: 'age' })
    const moment = html('time', { datetime: new Date(atMs).toISOString(), title: utcText(atMs) }, clock.format(atMs))
    const about = html('button', { type: 'button', class: 'quiet about', title: node === undefined ? undefined : escapeText(node) })
    if (node === undefined) about.disabled = true
    else {
      setText(about, shortened(escapeText(node), nameCharsMax))
      about.addEventListener('click', () => reveal(node))
    }
    const word = level === 'info' ? [] : [html('span', { class: 'level' }, level), ' ']
    const root = html('li', { class: `is-${level}` }, moment, age, about, html('span', { class: 'message' }, ...word, message))
    return { root, update: () => setText(age, `${ageText(this.#nowMs - atMs)} ago`) }
  }
}
