/**
 * Messages to records and back. The way out checks what we say against the table, the way in what the peer says; nothing
 * that the table does not describe gets past here. Bytes in a decoded body alias the received frame: who keeps them, copies.
 */
import { Packr, RESERVE_START_SPACE, Unpackr } from 'msgpackr'
import type { TSchema } from 'typebox'
import { Settings } from 'typebox/system'
import { ClusterError, type ErrorCode, errorTable, isErrorCode, ok, type Result, refuse } from '../../base/errors.js'
import { failure } from '../../base/fields.js'
import { limits } from '../../base/limits.js'
import { shapeOf } from '../../base/shapeOf.js'
import type { TrafficKind } from '../../domain/cluster/nodeFigures.js'
import { type NoticeName, notices, type RequestName, requests } from './messages.js'
import { isPlain } from './plainMessagePack.js'
import { fillNotice, fillReply, fillRequest, headroom, recordKinds } from './records.js'

export type BodyCheck = (body: unknown) => boolean

export interface RequestType {
  readonly name: RequestName
  readonly id: number
  readonly traffic: TrafficKind
  readonly isRequest: BodyCheck
  readonly isReply: BodyCheck
}

export interface NoticeType {
  readonly name: NoticeName
  readonly id: number
  readonly traffic: TrafficKind
  readonly isNotice: BodyCheck
}

// An optional field is left out or has its type: `undefined` is no plain data, and the peer would refuse it.
Settings.Set({ exactOptionalPropertyTypes: true })

const checkOf = (schema: TSchema): BodyCheck => {
  const shape = shapeOf(schema)
  return (body) => shape.Check(body)
}

export const isRequestName = (name: string): name is RequestName => Object.hasOwn(requests, name)
export const isNoticeName = (name: string): name is NoticeName => Object.hasOwn(notices, name)

const traffic: Readonly<Record<string, TrafficKind>> = { integrity: 'file', agents: 'agents', agentInfo: 'agents', agentGroups: 'groups' }

/** By the first part of its name. */
const trafficOf = (name: RequestName | NoticeName): TrafficKind => traffic[name.split('.', 1)[0] ?? ''] ?? 'control'

const requestTypes = new Map<RequestName, RequestType>()
const requestTypesById = new Map<number, RequestType>()
for (const name of Object.keys(requests).filter(isRequestName)) {
  const { id, request, reply } = requests[name]
  const type: RequestType = { name, id, traffic: trafficOf(name), isRequest: checkOf(request), isReply: checkOf(reply) }
  requestTypes.set(name, type)
  requestTypesById.set(id, type)
}

const noticeTypes = new Map<NoticeName, NoticeType>()
const noticeTypesById = new Map<number, NoticeType>()
for (const name of Object.keys(notices).filter(isNoticeName)) {
  const { id, notice } = notices[name]
  const type: NoticeType = { name, id, traffic: trafficOf(name), isNotice: checkOf(notice) }
  noticeTypes.set(name, type)
  noticeTypesById.set(id, type)
}

const isFailure = shapeOf(failure())

export const requestTypeById = (id: number): RequestType | undefined => requestTypesById.get(id)
export const noticeTypeById = (id: number): NoticeType | undefined => noticeTypesById.get(id)

export const requestTypeOf = (name: RequestName): RequestType => {
  const type = requestTypes.get(name)
  if (!type) throw new ClusterError('internal', { message: `${name} is not in the table of messages` })
  return type
}

// Shared by all links: both work synchronously, from one call to its return.
const packr = new Packr({ useRecords: false, encodeUndefinedAsNil: false })
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true })

const pack = (what: string, body: unknown, isRight: BodyCheck, room: number): Buffer => {
  if (!isRight(body)) throw new ClusterError('malformed', { message: `This node made a ${what} that is outside the message table` })
  const record = packr.pack(body, RESERVE_START_SPACE | room)
  if (record.byteLength - room > limits.messageBytesMax)
    throw new ClusterError('tooLarge', {
      message: `A ${what} of ${record.byteLength} bytes is over the limit of ${limits.messageBytesMax}`,
    })
  return record
}

/** Throws `malformed` or `tooLarge` when the body is not what the table allows, as do the two below. */
export const encodeRequest = (type: RequestType, id: number, body: unknown): Buffer => {
  const record = pack(type.name, body, type.isRequest, headroom.request)
  fillRequest(record, id, type.id)
  return record
}

export const encodeReply = (type: RequestType, id: number, body: unknown): Buffer => {
  const record = pack(`reply to ${type.name}`, body, type.isReply, headroom.reply)
  fillReply(record, recordKinds.reply, id)
  return record
}

export const noticeTypeOf = (name: NoticeName): NoticeType => {
  const type = noticeTypes.get(name)
  if (!type) throw new ClusterError('internal', { message: `${name} is not in the table of messages` })
  return type
}

export const encodeNotice = (name: NoticeName, body: unknown): Buffer => {
  const type = noticeTypeOf(name)
  const record = pack(name, body, type.isNotice, headroom.notice)
  fillNotice(record, type.id)
  return record
}

export interface Failure {
  readonly code: string
  readonly message: string
}

/** What a peer gets to know of an error: code and sentence, never a stack or a cause. */
export const failureOf = (error: ClusterError): Failure => ({
  code: error.code,
  message: error.message.slice(0, limits.errorMessageCharsMax),
})

/** A code from a newer version becomes `otherwise`; the sentence is kept. A crash of the peer is not one here. */
export const errorOfFailure = ({ code, message }: Failure, otherwise: ErrorCode = 'requestFailed'): ClusterError => {
  const known = isErrorCode(code) && code !== 'internal' ? code : otherwise
  return new ClusterError(known, { message: message === '' ? errorTable[known].says : message, context: { saidBy: 'peer' } })
}

export const encodeErrorReply = (id: number, error: ClusterError): Buffer => {
  const record = packr.pack(failureOf(error), RESERVE_START_SPACE | headroom.reply)
  fillReply(record, recordKinds.errorReply, id)
  return record
}

const range = { start: 0, end: 0 }

/** The plain value at `from` to `to` when `isRight` says yes to it. */
export const decodeBody = (frame: Buffer, from: number, to: number, isRight: BodyCheck): Result<unknown> => {
  if (to - from > limits.messageBytesMax) return refuse('tooLarge')
  if (!isPlain(frame, from, to, limits.messageDepthMax)) return refuse('malformed')
  range.start = from
  range.end = to
  let body: unknown
  try {
    body = unpackr.unpack(frame, range)
  } catch (cause) {
    return refuse('malformed', { cause })
  }
  return isRight(body) ? ok(body) : refuse('malformed')
}

export const decodeFailure = (frame: Buffer, from: number, to: number, otherwise?: ErrorCode): Result<ClusterError> => {
  const body = decodeBody(frame, from, to, (value) => isFailure.Check(value))
  if (!body.ok) return body
  return isFailure.Check(body.value) ? ok(errorOfFailure(body.value, otherwise)) : refuse('malformed')
}
