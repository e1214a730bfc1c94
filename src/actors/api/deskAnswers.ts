/** Answers of the node that the HTTP service reads page by page: bounded in their number, and dropped when nobody reads on. */
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import type { AgentCommand } from '../../domain/agents/agentCommand.js'
import type { AnswerLine } from '../../domain/queries/answerLine.js'
import type { ClusterQuery } from '../../domain/queries/clusterQuery.js'
import type { Clock } from '../../ports/machine.js'

export type AnswerQuestion = (request: ClusterQuery | AgentCommand, signal: AbortSignal) => AsyncIterable<AnswerLine>

interface Open {
  readonly lines: AsyncIterator<AnswerLine>
  readonly ending: AbortController
  idle: unknown
}

/** Lines that hold many rows go alone. */
const isPage = (line: AnswerLine): boolean => 'rows' in line || 'groups' in line || 'files' in line

export class DeskAnswers {
  readonly #answer: AnswerQuestion
  readonly #clock: Pick<Clock, 'setTimeout' | 'clearTimeout'>
  readonly #open = new Map<number, Open>()
  #numbers = 0

  constructor(answer: AnswerQuestion, clock: Pick<Clock, 'setTimeout' | 'clearTimeout'>) {
    this.#answer = answer
    this.#clock = clock
  }

  get size(): number {
    return this.#open.size
  }

  /** Fails with `overloaded`. */
  async ask(request: ClusterQuery | AgentCommand): Promise<number> {
    if (this.#open.size >= limits.apiAnswersMax)
      throw new ClusterError('overloaded', { message: `${limits.apiAnswersMax} answers are already being read` })
    const ending = new AbortController()
    const number = ++this.#numbers
    const open: Open = { lines: this.#answer(request, ending.signal)[Symbol.asyncIterator](), ending, idle: undefined }
    this.#open.set(number, open)
    this.#rest(number, open)
    return number
  }

  async next(number: number): Promise<readonly AnswerLine[] | undefined> {
    const open = this.#open.get(number)
    if (!open) throw new ClusterError('aborted', { message: 'The answer was dropped: it was not read for too long' })
    this.#clock.clearTimeout(open.idle)
    try {
      const page = await pageOf(open.lines)
      if (page.length === 0) this.cancel(number)
      else if (this.#open.has(number)) this.#rest(number, open)
      return page.length > 0 ? page : undefined
    } catch (thrown) {
      this.cancel(number)
      throw thrown
    }
  }

  /** Nothing when it is over. */
  cancel(number: number): void {
    const open = this.#open.get(number)
    if (!open) return
    this.#open.delete(number)
    this.#clock.clearTimeout(open.idle)
    open.ending.abort()
    void open.lines.return?.(undefined)?.catch(() => undefined)
  }

  close(): void {
    for (const number of [...this.#open.keys()]) this.cancel(number)
  }

  #rest(number: number, open: Open): void {
    open.idle = this.#clock.setTimeout(() => this.cancel(number), limits.apiAnswerIdleMs)
  }
}

/** Empty after the last line: an iterator that is over says so again. */
const pageOf = async (lines: AsyncIterator<AnswerLine>): Promise<readonly AnswerLine[]> => {
  const page: AnswerLine[] = []
  while (page.length < limits.apiAnswerLinesMax) {
    const { done, value } = await lines.next()
    if (done) break
    page.push(value)
    if (isPage(value)) break
  }
  return page
}
