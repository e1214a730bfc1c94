/** The numbers of messages, a global and a local one, as agents and the manager count and compare them. */

export interface MessageCounter {
  readonly global: number
  readonly local: number
}

export const noMessages: MessageCounter = { global: 0, local: 0 }

/** The local number at which the global one rises. */
const localMax = 9_997
/** Ten digits in a message. */
const globalMax = 9_999_999_999

/** The number of the message that follows. */
export const nextCounter = ({ global, local }: MessageCounter): MessageCounter =>
  local >= localMax ? { global: global >= globalMax ? 0 : global + 1, local: 1 } : { global, local: local + 1 }

/** Is the message with the number `counter` later than the one with `last`? */
export const isLater = (counter: MessageCounter, last: MessageCounter): boolean =>
  counter.global > last.global || (counter.global === last.global && counter.local > last.local)
