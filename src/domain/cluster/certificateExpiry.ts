/** What is said of certificates that near their end: once for each step, never twice. */
import { utcMinute } from '../../base/logText.js'
import { daysLeft, expiryStage } from '../certificates/expiry.js'

export interface EndingCertificate {
  /** What it is, in sentences: of the node, of an authority, of a peer. */
  readonly what: string
  readonly endsMs: number
}

export interface ExpiryNotice {
  readonly hasEnded: boolean
  readonly sentence: string
}

/** What was said of each certificate already; one that was renewed is another. */
export class ExpiryNotices {
  #said = new Map<string, number>()

  /** What is to be said now. `certificates` are all that there are: what was said of others is forgotten. */
  due(certificates: readonly EndingCertificate[], nowMs: number): readonly ExpiryNotice[] {
    const said = new Map<string, number>()
    const notices: ExpiryNotice[] = []
    for (const { endsMs, what } of certificates) {
      const key = `${endsMs} ${what}`
      const before = this.#said.get(key) ?? Number.POSITIVE_INFINITY
      const stage = expiryStage(endsMs, nowMs) ?? Number.POSITIVE_INFINITY
      if (stage < before && !said.has(key)) notices.push(noticeOf(what, endsMs, nowMs))
      said.set(key, Math.min(before, stage))
    }
    this.#said = said
    return notices
  }
}

const noticeOf = (what: string, endsMs: number, nowMs: number): ExpiryNotice => {
  const on = utcMinute(endsMs)
  const days = daysLeft(endsMs, nowMs)
  if (endsMs <= nowMs) return { hasEnded: true, sentence: `${what} has ended on ${on}: renew it.` }
  const inTime = days === 0 ? 'within a day' : days === 1 ? 'in 1 day' : `in ${days} days`
  return { hasEnded: false, sentence: `${what} ends ${inTime}, on ${on}: renew it before.` }
}
