/**
 * Ruleset reload: on a worker with a real manager, has its wazuh-analysisd load the rules again after files of them were applied, and when
 * Wazuh's API asked for it, after the check or sync that comes next. What it said is logged, and sent to the master to be shown.
 */
import { counted } from '../../base/counted.js'
import { fullStop } from '../../base/fullStop.js'
import { limits } from '../../base/limits.js'
import { shortened } from '../../base/logText.js'
import type { WorkerState } from '../../domain/cluster/workerState.js'
import { shownReport } from '../../domain/manager/rulesetReport.js'
import type { Link } from '../../ports/link.js'
import type { Clock, Log } from '../../ports/machine.js'
import type { ManagerDaemons, RulesetReload } from '../../ports/manager.js'
import type { NoticeBody } from '../../wire/muster/messages.js'
import { periodicThread } from '../kit/periodicThread.js'
import type { ServingInput } from '../kit/servingThread.js'
import { Signal } from '../kit/signal.js'

/** A master of an earlier build does not know the notice. */
export const rulesetCapability = 'ruleset'

type Report = NoticeBody<'ruleset.reloaded'>

/** What the worker's threads leave to one another. */
export class RulesetChanges {
  /** Emitted when the rules are to be loaded again; `asked`: because the API asked for it. */
  readonly wanted = new Signal<'asked' | 'changed'>()
  #isAsked = false
  #report: Report | undefined

  /** To be done after the next check that finds nothing to do, or the next plan. */
  askAfterCheck(): void {
    this.#isAsked = true
  }

  checked(same: boolean): void {
    if (same) this.#grant()
  }

  /** @param reload files of the rules were among those of the plan */
  applied(reload: boolean): void {
    if (reload) this.wanted.emit('changed')
    this.#grant()
  }

  reloaded(report: Report, master: Link | undefined): void {
    this.#report = report
    if (master) this.announce(master)
  }

  /** A master that is new to this worker is to know too. */
  announce(master: Link): void {
    if (this.#report && master.peer.capabilities.includes(rulesetCapability)) master.notify('ruleset.reloaded', this.#report)
  }

  #grant(): void {
    if (!this.#isAsked) return
    this.#isAsked = false
    this.wanted.emit('asked')
  }
}

export interface RulesetReloadOptions {
  readonly changes: RulesetChanges
  readonly daemons: Pick<ManagerDaemons, 'reloadRuleset'>
  readonly clock: Pick<Clock, 'monotonicMs' | 'now'>
  readonly master: () => Link | undefined
  /** This manager cannot, and somebody else has to have it read its files. */
  readonly onUnsupported: () => void
  readonly log: Log
}

/** Changes that come within this time are one reload. */
export const rulesetGatherMs = 1_000
/** Nothing is done then. */
const idleMs = 3_600_000

class Reloading {
  readonly #options: RulesetReloadOptions
  #isChanged = false
  #isAsked = false
  /** The log has it. */
  #failure: string | undefined

  constructor(options: RulesetReloadOptions) {
    this.#options = options
  }

  want(why: 'asked' | 'changed'): void {
    if (why === 'asked') this.#isAsked = true
    else this.#isChanged = true
  }

  async reload(signal: AbortSignal): Promise<'done'> {
    const isAsked = this.#isAsked
    if (!isAsked && !this.#isChanged) return 'done'
    this.#isAsked = false
    this.#isChanged = false
    const { daemons, log, onUnsupported } = this.#options
    const reload = await daemons.reloadRuleset(signal)
    this.#failure = undefined
    if (!reload) {
      onUnsupported()
      return 'done'
    }
    // As Wazuh writes it.
    if (isAsked) log.info('Ruleset reload triggered by cluster integrity check: reload message sent successfully.')
    this.#logMessages(reload)
    this.#report(reload)
    return 'done'
  }

  /** analysisd reads all of them when it starts, so that one that is down has nothing to be asked again. */
  failed(message: string): void {
    const says = `wazuh-analysisd could not be asked to load the rules again: ${fullStop(message)}`
    if (message !== this.#failure) this.#options.log.error(`${says} Trying again at the next change.`)
    this.#failure = message
    this.#report({ isLoaded: false, messages: [shortened(says, limits.rulesetMessageCharsMax - 1)] })
  }

  #logMessages({ isLoaded, messages }: RulesetReload): void {
    const { log } = this.#options
    if (isLoaded)
      log.info(`wazuh-analysisd loaded the rules again${messages.length > 0 ? `: ${counted(messages.length, 'warning')}` : ''}.`)
    else log.error('wazuh-analysisd could not load the rules and keeps the previous ones:')
    for (const message of messages) log[isLoaded ? 'warning' : 'error'](`wazuh-analysisd: ${message}`)
  }

  #report({ isLoaded, messages }: RulesetReload): void {
    const { changes, clock, master } = this.#options
    changes.reloaded({ atMs: clock.now(), isLoaded, messages: [...messages] }, master())
  }
}

export const rulesetReload = (options: RulesetReloadOptions) =>
  periodicThread({
    id: 'rulesetReload',
    clock: options.clock,
    everyMs: idleMs,
    gatherMs: rulesetGatherMs,
    startsResting: true,
    begin: () => new Reloading(options),
    wakes: (reloading, wake) => [
      options.changes.wanted.add((why) => {
        reloading.want(why)
        wake()
      }),
    ],
    initial: 'reloading',
    steps: { reloading: (reloading, { signal }) => reloading.reload(signal) },
    onFailure: (reloading, { message }) => reloading.failed(message),
  })

/** On the master: what a worker said of its last reload. */
export const rulesetFollowInput = (link: Link, state: Pick<WorkerState, 'ruleset'>): ServingInput => ({
  link,
  alongside: () =>
    link.subscribe({
      'ruleset.reloaded': (report) => {
        state.ruleset = shownReport(report)
      },
    }),
  answers: () => ({}),
})
