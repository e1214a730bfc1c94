/** Answers of the API as they are sent: lists in pieces, no faster than the client takes them. */
import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { EnvelopeWriter, type FailedItem, type Messages } from '../../../domain/api/envelope.js'
import { ListPager } from '../../../domain/api/listPager.js'
import { type Item, isWhole, type ListRequest } from '../../../domain/api/listRequest.js'

export const jsonType = 'application/json; charset=utf-8'

export const sendJson = (reply: FastifyReply, text: string): FastifyReply => reply.type(jsonType).send(text)

export interface ListAnswer {
  readonly items: AsyncIterable<Item> | Iterable<Item>
  readonly messages: Messages
  /** Asked for after the last item. */
  readonly failures?: () => readonly FailedItem[]
  /** All of it, in its own order, when left out. */
  readonly list?: ListRequest
  readonly isPretty: boolean
  /** How many items there are, when that is known before the last one: then no more are read than are shown. */
  readonly totalKnown?: () => number | undefined
  /** Further members of `data`, asked for after the last item. */
  readonly extra?: () => Readonly<Record<string, unknown>>
}

const everything: ListRequest = {
  ...{
    offset: 0,
    limit: Number.MAX_SAFE_INTEGER,
    select: undefined,
    sort: undefined,
    search: undefined,
    query: undefined,
    isDistinct: false,
  },
}

const chunkChars = 64 * 1024

/** Everything else comes before the next step. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function* envelopeText(answer: ListAnswer): AsyncGenerator<string, void, undefined> {
  const { extra, failures, isPretty, items, list = everything, messages, totalKnown } = answer
  const writer = new EnvelopeWriter(isPretty)
  const pager = new ListPager(list)
  const isShort = isWhole(list) && list.sort === undefined
  let text = writer.start()
  let total: number | undefined
  for await (const item of items) {
    const shown = pager.next(item)
    if (shown) text += writer.item(shown)
    for (const _ of pager.shrink()) await turn()
    if (isShort && pager.total >= list.offset + list.limit) {
      total = totalKnown?.()
      if (total !== undefined) break
    }
    if (text.length < chunkChars) continue
    yield text
    text = ''
  }
  for (const item of pager.rest()) {
    text += writer.item(item)
    if (text.length < chunkChars) continue
    yield text
    text = ''
    await turn()
  }
  yield text + writer.end({ total: total ?? pager.total, failures: failures?.() ?? [], messages, ...(extra && { extra: extra() }) })
}

async function* continued(first: string, second: string, rest: AsyncGenerator<string>): AsyncGenerator<string, void, undefined> {
  try {
    yield first
    yield second
    yield* rest
  } finally {
    await rest.return(undefined)
  }
}

/** What fails before the first piece is an answer of its own; what fails later cuts the connection, so that nobody takes a part for the whole. */
export const sendList = async (reply: FastifyReply, answer: ListAnswer): Promise<FastifyReply> => {
  const pieces = envelopeText(answer)
  const first = await pieces.next()
  const second = await pieces.next()
  if (second.done) return sendJson(reply, first.value ?? '')
  return reply
    .type(jsonType)
    .send(Readable.from(continued(first.value ?? '', second.value, pieces), { objectMode: false, highWaterMark: chunkChars }))
}
