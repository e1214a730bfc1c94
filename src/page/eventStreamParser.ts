/** The text of an event stream (text/event-stream), as it comes in pieces, to its events. */

export interface ServerEvent {
  readonly name: string
  readonly data: string
}

/** An overview of 10 000 workers has some 5 million. */
const pendingCharsMax = 32 * 1024 * 1024

export class EventStreamParser {
  #pending = ''
  #name = ''
  #data: string[] = []

  /** The events that are whole with this piece. Throws when one never ends. */
  push(piece: string): readonly ServerEvent[] {
    const text = this.#pending + piece
    if (text.length > pendingCharsMax) throw new Error('An event of the stream is too long')
    // A last CR may be the first half of a CRLF.
    const lines = text.split(/\r\n|\n|\r(?!$)/)
    this.#pending = lines.pop() ?? ''
    return lines.flatMap((line) => this.#line(line))
  }

  #line(line: string): readonly ServerEvent[] {
    if (line === '') return this.#ended()
    const colon = line.indexOf(':')
    const field = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (field === 'event') this.#name = value
    if (field === 'data') this.#data.push(value)
    return []
  }

  #ended(): readonly ServerEvent[] {
    const events = this.#data.length === 0 ? [] : [{ name: this.#name || 'message', data: this.#data.join('\n') }]
    this.#name = ''
    this.#data = []
    return events
  }
}
