/** What the log says of connections that were refused, within the bounds of actors/kit/limitedLines. */

import { counted } from '../../base/counted.js'
import type { ErrorCode } from '../../base/errors.js'
import { fullStop } from '../../base/fullStop.js'
import type { Refusal } from '../../ports/link.js'
import type { Clock, Log } from '../../ports/machine.js'
import { type LeftOutLines, LimitedLines } from '../kit/limitedLines.js'

export class RefusalLog {
  readonly #log: Log
  readonly #lines: LimitedLines

  constructor(clock: Clock, log: Log) {
    this.#log = log
    this.#lines = new LimitedLines(clock, (leftOut) => this.#sum(leftOut))
  }

  add({ address, error }: Refusal): void {
    const line = { address, kind: error.code, sentence: error.message, isOfAll: isCrowded(error.code) }
    if (this.#lines.add(line)) this.#log.warning(`A connection from ${address} was refused: ${fullStop(error.message)}`)
  }

  /** The refusals of the last minute are not counted any more. */
  close(): void {
    this.#lines.close()
  }

  #sum({ addresses, count, countOfAll }: LeftOutLines): void {
    const were = count === 1 ? 'was' : 'were'
    const room = `; ${countOfAll} of them were closed to make room, because too many connections did not prove the cluster key`
    this.#log.warning(
      `In the last minute ${counted(count, 'more connection')} from ${addresses} ${were} refused and not logged${countOfAll > 0 ? room : ''}.`,
    )
  }
}

/** The door is crowded by all of them together: whose connection was closed says nothing. */
const isCrowded = (code: ErrorCode): boolean => code === 'overloaded'
