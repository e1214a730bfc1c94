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

/** Certificates that are gone, of which it is remembered what was said. */
const goneMax = 1_000

/** What was said of each certificate already; one that was renewed is another. */
export class ExpiryNotices {
  readonly #said = new Map<string, number>()

  /** What to say now of all certificates. Those that are gone are remembered for a while: a peer may come and go. */
  due(certificates: readonly EndingCertificate[], nowMs: number): readonly ExpiryNotice[] {
    const present = new Set<string>()
    const notices: ExpiryNotice[] = []
    for (const { endsMs, what } of certificates) {
      const key = `${endsMs} ${what}`
      const before = this.#said.get(key) ?? Number.POSITIVE_INFINITY
      const stage = expiryStage(endsMs, nowMs) ?? Number.POSITIVE_INFINITY
      if (stage < before) {
        notices.push(noticeOf(what, endsMs, nowMs))
        this.#said.set(key, stage)
      }
      present.add(key)
    }
    if (this.#said.size > present.size + goneMax) for (const key of this.#said.keys()) if (!present.has(key)) this.#said.delete(key)
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
