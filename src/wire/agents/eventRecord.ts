/** What a line of an event says: the other direction of eventLine.ts, for those who follow segments. */
import { type Static, Type } from 'typebox'
import type { Result } from '../../base/errors.js'
import type { ReadonlyValue } from '../../base/fields.js'
import { parsedJson } from '../../base/json/parsedJson.js'
import { shapeOf } from '../../base/shapeOf.js'

/** Fields that a later version adds do no harm. */
const record = Type.Object({
  timestamp: Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}\\+0000$' }),
  agent: Type.Object({ id: Type.String({ pattern: '^\\d{3,10}$' }), name: Type.String(), ip: Type.Optional(Type.String()) }),
  manager: Type.Object({ name: Type.String() }),
  cluster: Type.Optional(Type.Object({ name: Type.String(), node: Type.String() })),
  queue: Type.Optional(Type.String()),
  location: Type.Optional(Type.String()),
  full_log: Type.String(),
})

const recordShape = shapeOf(record)

export type EventRecord = ReadonlyValue<Static<typeof record>>

/** Refuses with `malformed`. The line with or without its line feed. */
export const readEventLine = (line: Uint8Array): Result<EventRecord> => parsedJson(line, recordShape, 'A line of an event')

/** Milliseconds since 1970. */
export const eventTimeMs = (event: EventRecord): number => Date.parse(event.timestamp.replace('+0000', 'Z'))
