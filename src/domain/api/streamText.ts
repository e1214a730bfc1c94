/** Server-Sent Events, as they are on the wire. */

export interface StreamEvent {
  readonly event: string
  readonly id?: number
  readonly data: object
}

/** JSON has no line break of its own, so that nothing in the data can end the event. */
export const streamText = ({ data, event, id }: StreamEvent): string =>
  `event: ${event}\n${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`
