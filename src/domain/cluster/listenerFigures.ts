/** What the listener of a node counted, as operators see it: agents that are connected, and since its start events and refusals. */
import { type Static, Type } from 'typebox'
import { count, fields, text } from '../../base/fields.js'
import { limits } from '../../base/limits.js'

/** `places`: where agents report to, as a text for people; with the capability `places`. */
export const listenerFigures = () =>
  fields({
    ...{ connected: count(), eventsTaken: count(), eventsDropped: count(), refused: count() },
    places: Type.Optional(text(limits.listeningPlacesCharsMax)),
  })

export type ListenerFigures = Readonly<Static<ReturnType<typeof listenerFigures>>>

/** These of all counts. */
export const figuresOf = (
  { connected, eventsDropped, eventsTaken, places, refused }: ListenerFigures,
  hasPlaces = true,
): ListenerFigures => ({
  connected,
  eventsTaken,
  eventsDropped,
  refused,
  ...(places !== undefined && hasPlaces && { places }),
})

/** An answer's field: what a newer daemon adds is let be. */
export const shownFigures = () =>
  Type.Optional(
    Type.Object({
      ...{ connected: count(), eventsTaken: count(), eventsDropped: count(), refused: count() },
      places: Type.Optional(Type.String()),
    }),
  )
