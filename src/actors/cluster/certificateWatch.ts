/**
 * The certificates of a node while it runs: takes them when they were renewed, says ahead when one ends, and ends the links of one that has:
 * TLS checks a certificate only when a connection is made.
 */
import { setup } from 'xstate'
import { ClusterError } from '../../base/errors.js'
import { fullStop } from '../../base/fullStop.js'
import { limits } from '../../base/limits.js'
import { utcMinute } from '../../base/logText.js'
import { type EndingCertificate, ExpiryNotices } from '../../domain/cluster/certificateExpiry.js'
import { isCertifiedAs } from '../../domain/cluster/nodeCertificate.js'
import type { CertificateFigures } from '../../domain/cluster/nodeFigures.js'
import type { OwnCertificates } from '../../ports/certificates.js'
import type { Link } from '../../ports/link.js'
import type { Clock, Log } from '../../ports/machine.js'
import { machineOptions } from '../kit/host.js'

export interface CertificateWatchOptions {
  /** This node's name. */
  readonly node: string
  readonly certificates: OwnCertificates
  readonly clock: Clock
  /** Those that are up; there may be thousands. */
  readonly links: () => readonly Link[]
  readonly log: Log
}

export const certificateFigures = (certificates: OwnCertificates | undefined, node: string): readonly CertificateFigures[] => {
  if (!certificates) return []
  const { authorities, own } = certificates.inUse
  return [{ kind: 'node', name: node, endsMs: own.endsMs }, ...authorities.map((authority) => ({ kind: 'ca' as const, ...authority }))]
}

const said = { ca: 'The certificate of the authority', node: 'The certificate of this node', api: 'The certificate of the API' } as const

class Watch {
  readonly #options: CertificateWatchOptions
  readonly #notices = new ExpiryNotices()

  constructor(options: CertificateWatchOptions) {
    this.#options = options
    this.#warnOfName()
  }

  check(): void {
    this.#refresh()
    this.#endLinks()
    this.#warnOfEnds()
  }

  /** Until the next check: a link ends when its certificate does. */
  get restMs(): number {
    const nowMs = this.#options.clock.now()
    const ends = this.#options.links().map((link) => endOf(link) - nowMs)
    return Math.min(limits.certificatesCheckMs, ...ends.filter((ms) => ms > 0))
  }

  #refresh(): void {
    const { certificates, log } = this.#options
    const refreshed = certificates.refresh()
    if (refreshed.kind === 'kept')
      log.error(`The new certificate files cannot be used; the previous ones stay in use: ${fullStop(refreshed.why)}`)
    if (refreshed.kind !== 'taken') return
    log.info(
      `New certificates are in use for new connections. The certificate of this node ends on ${utcMinute(certificates.inUse.own.endsMs)}.`,
    )
    this.#warnOfName()
  }

  #warnOfName(): void {
    const { certificates, log, node } = this.#options
    const named = isCertifiedAs(certificates.inUse.own, node, undefined)
    if (!named.ok) log.warning(`${fullStop(named.error.message)} Other nodes will refuse this one.`)
  }

  #endLinks(): void {
    const { clock, links } = this.#options
    for (const link of links()) {
      const { certificate, node } = link.peer
      if (!certificate || endOf(link) > clock.now()) continue
      const isPeers = certificate.endsMs <= certificate.ownEndsMs
      const whose = isPeers ? node : this.#options.node
      const message = `The certificate of ${whose} under this connection has ended on ${utcMinute(endOf(link))}`
      link.close('error', new ClusterError('notCertified', { message }))
    }
  }

  #warnOfEnds(): void {
    const { certificates, clock, links, log, node } = this.#options
    const own: readonly EndingCertificate[] = certificateFigures(certificates, node).map(({ endsMs, kind, name }) => ({
      what: kind === 'node' ? said.node : `${said[kind]} '${name}'`,
      endsMs,
    }))
    const ofPeers = links().flatMap(({ peer: { certificate, node: peer } }) =>
      certificate ? [{ what: `The certificate of ${peer}`, endsMs: certificate.endsMs }] : [],
    )
    for (const { hasEnded, sentence } of this.#notices.due([...own, ...ofPeers], clock.now()))
      if (hasEnded) log.error(sentence)
      else log.warning(sentence)
  }
}

/** Of whichever certificate ends first; never without TLS. */
const endOf = ({ peer: { certificate } }: Link): number =>
  certificate ? Math.min(certificate.endsMs, certificate.ownEndsMs) : Number.POSITIVE_INFINITY

export const certificateWatch = (options: CertificateWatchOptions) =>
  setup({
    types: { context: {} as { watch: Watch } },
    actions: { check: ({ context }) => context.watch.check() },
    delays: { rest: ({ context }) => context.watch.restMs },
  }).createMachine({
    id: 'certificates',
    options: machineOptions,
    context: () => ({ watch: new Watch(options) }),
    initial: 'resting',
    states: { resting: { entry: 'check', after: { rest: { target: 'resting', reenter: true } } } },
  })
