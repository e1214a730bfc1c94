/** The groups of the agents in wazuh-db, page by page. */
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import type { WazuhDb, WazuhGroupsPage } from '../../ports/manager.js'

/** Of the agents with IDs above `after`; the last page has the hash over all. Fails with `managerFailed` when they do not advance. */
export async function* groupsPages(db: Pick<WazuhDb, 'groups'>, signal: AbortSignal, after = 0): AsyncGenerator<WazuhGroupsPage> {
  for (let from = after, rows = 0; ; ) {
    const page = await db.groups(from, signal)
    yield page
    if (!page.isMore) return
    const last = page.rows.at(-1)?.id ?? 0
    rows += page.rows.length
    if (last <= from || rows > limits.agentsMax)
      throw new ClusterError('managerFailed', { message: "wazuh-db's pages of groups do not end" })
    from = last
  }
}
