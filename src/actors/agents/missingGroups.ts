/**
 * Groups that agents have and that have no directory, once on the master: `default`, which Wazuh's installation makes, is made
 * again; the others are logged, once as long as they are missing.
 */

import { counted } from '../../base/counted.js'
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { defaultGroup } from '../../domain/agents/groups.js'
import { agentConfigName } from '../../domain/agents/mergedFile.js'
import type { Clock, Log } from '../../ports/machine.js'
import type { LocalAgents } from './nodeAgents.js'

export interface MissingGroupsOptions {
  readonly agents: Pick<LocalAgents, 'files' | 'store'>
  readonly clock: Pick<Clock, 'monotonicMs'>
  /** Between two checks: each reads the groups of all agents if any changed. */
  readonly intervalMs: number
  readonly log: Log
}

export class MissingGroups {
  readonly #options: MissingGroupsOptions
  #checkedMs = Number.NEGATIVE_INFINITY
  /** Counted at the state of the groups with this hash. */
  #counted: { readonly hash: string; readonly sizes: ReadonlyMap<string, number> } | undefined
  /** Warnings of the check before; the same ones are not logged again. */
  #logged: ReadonlySet<string> = new Set()

  constructor(options: MissingGroupsOptions) {
    this.#options = options
  }

  /** Returns the paths that were made. */
  async check(signal: AbortSignal): Promise<readonly string[]> {
    const { agents, clock, intervalMs, log } = this.#options
    if (clock.monotonicMs() - this.#checkedMs < intervalMs) return []
    const sizes = await this.#sizes()
    const there = new Set(await agents.files.groups(signal))
    this.#checkedMs = clock.monotonicMs()
    // Beyond the most that there may be, a group that is not listed may be there all the same.
    if (there.size >= limits.groupsMax) return []
    const missing = [...sizes.keys()].filter((group) => !there.has(group))
    const made: string[] = []
    const warnings = new Map<string, string>()
    if (missing.includes(defaultGroup)) {
      const refusal = await this.#makeDefault(signal)
      if (refusal === undefined) made.push(`etc/shared/${defaultGroup}/${agentConfigName}`)
      else warnings.set(refusal, `The group '${defaultGroup}' of ${agentsOf(sizes, defaultGroup)} is missing. ${refusal}`)
    }
    const others = missing.filter((group) => group !== defaultGroup)
    // A group that was removed meanwhile has no agents any more.
    const now = others.length > 0 ? await this.#sizes() : sizes
    for (const group of others.filter((other) => now.has(other)))
      warnings.set(
        group,
        `The group '${group}' (${agentsOf(now, group)}) has no directory in 'etc/shared', so its agents receive none of its files. ` +
          `Create it with 'agent_groups -a -g ${group}', or unassign it with 'agent_groups -r -g ${group}'.`,
      )
    const fresh = [...warnings].filter(([key]) => !this.#logged.has(key)).map(([, warning]) => warning)
    for (const warning of fresh.slice(0, limits.reportedFailuresMax)) log.warning(warning)
    const unshown = fresh.length - limits.reportedFailuresMax
    if (unshown > 0) log.warning(`And ${counted(unshown, 'more group')} of agents without a directory in 'etc/shared'.`)
    this.#logged = new Set(warnings.keys())
    return made
  }

  async #sizes(): Promise<ReadonlyMap<string, number>> {
    const { store } = this.#options.agents
    const { hash } = await store.groupsState()
    if (this.#counted?.hash !== hash) this.#counted = { hash, sizes: await store.groupSizes() }
    return this.#counted.sizes
  }

  /** Returns why it could not be made. */
  async #makeDefault(signal: AbortSignal): Promise<string | undefined> {
    const { agents, log } = this.#options
    try {
      if (await agents.files.createDefaultGroup(signal)) log.info(`Recreated the missing group '${defaultGroup}', which agents belong to.`)
      return undefined
    } catch (thrown) {
      if (!(thrown instanceof ClusterError) || thrown.code === 'aborted') throw thrown
      return thrown.message
    }
  }
}

const agentsOf = (sizes: ReadonlyMap<string, number>, group: string): string => counted(sizes.get(group) ?? 0, 'agent')
