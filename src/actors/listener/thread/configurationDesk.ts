/**
 * What agents are to have, for the listener: the merged.mg of their groups, with its MD5. Sums are kept until a file changes, for agents
 * by the thousand have the same groups.
 */
import { mergedName, mergedPathOf } from '../../../domain/agents/mergedFile.js'
import type { AgentFiles, AgentListsStore } from '../../../ports/agents.js'
import type { AgentConfiguration } from '../../../ports/listener.js'
import { agentPages } from '../../agents/agentPages.js'

export interface ConfigurationDeskOptions {
  readonly store: Pick<AgentListsStore, 'list'>
  readonly files: Pick<AgentFiles, 'mergedSum'>
}

export class ConfigurationDesk {
  readonly #options: ConfigurationDeskOptions
  /** By the path of a merged.mg; empty while it is not there. */
  #sums = new Map<string, Promise<string>>()

  constructor(options: ConfigurationDeskOptions) {
    this.#options = options
  }

  /** In any order, without agents that have no groups (yet) or are not there. */
  async configurations(ids: readonly number[], signal: AbortSignal): Promise<readonly AgentConfiguration[]> {
    const configurations: Promise<AgentConfiguration>[] = []
    for await (const agents of agentPages(this.#options.store, { ids }))
      for (const { groups, id } of agents) if (groups.length > 0) configurations.push(this.#configuration(id, groups, signal))
    return Promise.all(configurations)
  }

  /** Says whether what agents are to have may be another now. @param paths nothing when any file may have changed */
  changed(paths: readonly string[] | undefined): boolean {
    if (!paths) {
      this.#sums = new Map()
      return true
    }
    const merged = paths.filter((path) => path.endsWith(`/${mergedName}`))
    for (const path of merged) this.#sums.delete(path)
    return merged.length > 0
  }

  async #configuration(id: number, groups: readonly string[], signal: AbortSignal): Promise<AgentConfiguration> {
    const path = mergedPathOf(groups)
    return { id, path, sum: await this.#sum(path, groups, signal) }
  }

  #sum(path: string, groups: readonly string[], signal: AbortSignal): Promise<string> {
    const known = this.#sums.get(path)
    if (known) return known
    const sums = this.#sums
    const sum = this.#options.files.mergedSum(groups, signal).then((found) => {
      // Nothing says when a file comes that was not synced yet, so this is asked for again.
      if (found === undefined) sums.delete(path)
      return found ?? ''
    })
    sum.catch(() => sums.delete(path))
    sums.set(path, sum)
    return sum
  }
}
