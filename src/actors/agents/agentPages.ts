/** All agents that a filter lets through, page by page, in order of their IDs. */
import { limits } from '../../base/limits.js'
import type { AgentFilter, AgentView } from '../../domain/agents/agent.js'
import type { AgentListsStore } from '../../ports/agents.js'

export async function* agentPages(
  store: Pick<AgentListsStore, 'list'>,
  filter: AgentFilter,
): AsyncGenerator<readonly AgentView[], void, undefined> {
  for (let after = 0; ; ) {
    const page = await store.list(filter, after)
    yield page
    const last = page.at(-1)
    if (page.length < limits.agentPageRowsMax || !last) return
    after = last.id
  }
}
