/** What must hold of nodes that show certificates: no connection outlives the certificates under it. */
import { limits } from '../../base/limits.js'
import type { SimulatedNode } from '../simulatedNode.js'

export interface CertificateRulesOptions {
  /** The master first. */
  readonly nodes: readonly SimulatedNode[]
  violated(rule: string, says: string): void
}

/** Until a node checks again, and the connection is closed. */
const boundMs = limits.certificatesCheckMs + 1_000

export class CertificateRules {
  readonly #options: CertificateRulesOptions
  /** By how much a clock was ahead of the time that passed, when it was last seen: it was not set since. */
  #offsetMs: number | undefined
  #runningSince: unknown
  checks = 0

  constructor(options: CertificateRulesOptions) {
    this.#options = options
  }

  /** The master knows of every worker what ends its link. A clock that was set, or stood still, since the last check has had less time. */
  check(): void {
    const [master] = this.#options.nodes
    const { clock, running } = master ?? {}
    if (!clock || !running || clock.isFrozen) {
      this.#offsetMs = undefined
      return
    }
    const offsetMs = Math.round(clock.now() - clock.monotonicMs())
    const isSteady = this.#offsetMs === offsetMs && this.#runningSince === running
    this.#offsetMs = offsetMs
    this.#runningSince = running
    if (!isSteady) return
    for (const { link, name } of running.registry?.members() ?? []) {
      const { certificate } = link.peer
      if (!certificate) continue
      this.checks += 1
      const endsMs = Math.min(certificate.endsMs, certificate.ownEndsMs)
      if (endsMs + boundMs < clock.now())
        this.#options.violated('no connection outlives its certificates', `that of ${name} has ended ${clock.now() - endsMs} ms ago`)
    }
  }
}
