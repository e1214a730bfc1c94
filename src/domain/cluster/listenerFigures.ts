/** What the listener of a node counted, as operators see it: agents that are connected, and since its start events and refusals. */
import Type, { type Static } from 'typebox'
import { count, fields } from '../../base/fields.js'

export const listenerFigures = () => fields({ connected: count(), eventsTaken: count(), eventsDropped: count(), refused: count() })

export type ListenerFigures = Readonly<Static<ReturnType<typeof listenerFigures>>>

/** These of all counts. */
export const figuresOf = ({ connected, eventsDropped, eventsTaken, refused }: ListenerFigures): ListenerFigures => ({
  connected,
  eventsTaken,
  eventsDropped,
  refused,
})

/** An answer's field: what a newer daemon adds is let be. */
export const shownFigures = () =>
  Type.Optional(Type.Object({ connected: count(), eventsTaken: count(), eventsDropped: count(), refused: count() }))
