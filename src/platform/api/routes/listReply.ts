/** Answers of the API as they are sent: lists in pieces, no faster than the client takes them. */
import { Readable } from 'node:stream'
import type { FastifyReply } from 'fastify'
import { limits } from '../../../base/limits.js'
import { EnvelopeWriter, type FailedItem, type Messages } from '../../../domain/api/envelope.js'
import { ListPager } from '../../../domain/api/listPager.js'
import { type Item, isWhole, type ListRequest, selected } from '../../../domain/api/listRequest.js'

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
  /** Adds to items that are shown what was not needed to choose them; at most limits.apiAgentDetailsMax at once. */
  readonly complete?: (items: readonly Item[]) => Promise<readonly Item[]>
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

/** As many of them as are completed at once. */
export async function* batchesOf(items: AsyncIterable<Item>): AsyncGenerator<readonly Item[], void, undefined> {
  let batch: Item[] = []
  for await (const item of items) {
    batch.push(item)
    if (batch.length < limits.apiAgentDetailsMax) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/** The items as they are to be written, and how many there were for all pages. */
class ShownItems {
  readonly #answer: ListAnswer
  readonly #list: ListRequest
  readonly #pager: ListPager
  #totalKnown: number | undefined

  constructor(answer: ListAnswer) {
    const { complete, list = everything } = answer
    this.#answer = answer
    this.#list = list
    this.#pager = new ListPager(complete ? { ...list, select: undefined } : list)
  }

  get total(): number {
    return this.#totalKnown ?? this.#pager.total
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    const { complete } = this.#answer
    if (!complete) return yield* this.#items()
    for await (const batch of batchesOf(this.#items())) for (const item of await complete(batch)) yield selected(this.#list, item)
  }

  async *#items(): AsyncGenerator<Item, void, undefined> {
    const { items, totalKnown } = this.#answer
    const list = this.#list
    const pager = this.#pager
    const isShort = isWhole(list) && list.sort === undefined
    for await (const item of items) {
      const shown = pager.next(item)
      if (shown) yield shown
      for (const _ of pager.shrink()) await turn()
      if (!isShort || pager.total < list.offset + list.limit) continue
      this.#totalKnown = totalKnown?.()
      if (this.#totalKnown !== undefined) break
    }
    let count = 0
    for (const item of pager.rest()) {
      yield item
      count += 1
      if (count % limits.apiSortedAtOnceMax === 0) await turn()
    }
  }
}

async function* envelopeText(answer: ListAnswer): AsyncGenerator<string, void, undefined> {
  const { extra, failures, isPretty, messages } = answer
  const writer = new EnvelopeWriter(isPretty)
  const items = new ShownItems(answer)
  let text = writer.start()
  for await (const item of items) {
    text += writer.item(item)
    if (text.length < chunkChars) continue
    yield text
    text = ''
  }
  yield text + writer.end({ total: items.total, failures: failures?.() ?? [], messages, ...(extra && { extra: extra() }) })
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
