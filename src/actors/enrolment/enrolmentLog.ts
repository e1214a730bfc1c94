/** What the log says of enrolments, within the bounds of actors/kit/limitedLines. The lines are as Wazuh writes them, where it has them. */
import { counted } from '../../base/counted.js'
import { fullStop } from '../../base/fullStop.js'
import type { EnrolmentRefusal } from '../../domain/enrolment/judgedRequest.js'
import type { EnrolmentDesk } from '../../ports/enrolment.js'
import type { Clock, LogLevel } from '../../ports/machine.js'
import { LimitedLines } from '../kit/limitedLines.js'

export class EnrolmentLog {
  readonly #desk: Pick<EnrolmentDesk, 'log'>
  readonly #lines: LimitedLines

  constructor(clock: Clock, desk: Pick<EnrolmentDesk, 'log'>) {
    this.#desk = desk
    this.#lines = new LimitedLines(clock, ({ addresses, count }) =>
      this.#say(
        'warning',
        `In the last minute ${counted(count, 'more connection')} from ${addresses} ${count === 1 ? 'was' : 'were'} refused by the enrolment service and not logged.`,
      ),
    )
  }

  enrolled(name: string, ip: string): void {
    this.#say('info', `Agent key generated for '${name}' (requested by ${ip})`)
  }

  refused(address: string, { code, logs }: EnrolmentRefusal): void {
    if (this.#lines.add({ address, kind: code, sentence: logs })) this.#say('warning', logs)
  }

  /** A connection that never got as far as a request. */
  unfinished(address: string, kind: string, why: string): void {
    if (this.#lines.add({ address, kind, sentence: why }))
      this.#say('info', `A connection of ${address} to enrol was closed: ${fullStop(why)}`)
  }

  close(): void {
    this.#lines.close()
  }

  #say(level: LogLevel, line: string): void {
    // A node that does not take the line has worse to do than that.
    this.#desk.log(level, line).catch(() => {})
  }
}
