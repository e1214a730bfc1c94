/** What must hold of the agents in a simulated cluster: at every check during faults, and after they are repaired. */
import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import type { AgentView } from '../../domain/agents/agent.js'
import { defaultGroup } from '../../domain/agents/groups.js'
import type { Disk } from '../../ports/files.js'
import type { SimulatedAgents } from '../simulatedAgents.js'
import type { SimulatedNode } from '../simulatedNode.js'

export interface AgentRulesOptions {
  readonly nodes: readonly SimulatedNode[]
  readonly agents: SimulatedAgents
  readonly disconnectionMs: number
  /** Of client.keys, absolute. */
  readonly keysPath: string
  /** Real managers make what is made for groups. */
  readonly hasManager: boolean
  readonly violated: (rule: string, says: string) => void
  /** Whether the master has this file. */
  readonly masterHas: (path: string) => boolean
}

const tableOf = ({ agentTable }: SimulatedNode): ReadonlyMap<number, AgentView> => {
  const views = new Map<number, AgentView>()
  for (let after = 0; ; ) {
    const page = agentTable.list({}, after)
    for (const view of page) views.set(view.id, view)
    const last = page.at(-1)
    if (!last) return views
    after = last.id
  }
}

const hashed = (groups: readonly string[]): string =>
  groups.length === 0 ? '' : createHash('sha256').update(groups.join(',')).digest('hex').slice(0, 8)

export class AgentRules {
  readonly #options: AgentRulesOptions
  constructor(options: AgentRulesOptions) {
    this.#options = options
    for (const node of options.nodes) this.#watch(node)
  }

  /** Times that a rule was checked. */
  checks = 0

  /** At any time: no agent vanishes that was not removed, and no removed agent comes back. */
  #watch({ agentTable, name }: SimulatedNode): void {
    const { agents, violated } = this.#options
    const gone = new Set<number>()
    agentTable.watch = {
      removed: (id) => {
        this.checks += 1
        gone.add(id)
        const agent = agents.enrolled.get(id)
        if (agent && !agent.isRemoved && agent.suspectRemovals === 0)
          violated('no agent vanishes that nobody removed', `${id} is gone from the table of ${name}`)
      },
      added: (id) => {
        this.checks += 1
        if (gone.has(id) && agents.enrolled.get(id)?.isRemoved)
          violated('a removed agent never comes back', `${id} is in the table of ${name} again`)
      },
    }
  }

  /** By node, the last report that the master lacks now. */
  owed(): ReadonlyMap<string, number> {
    const [master] = this.#options.nodes
    const table = master?.agentTable.groupsState().table ?? ''
    return new Map(this.#options.nodes.map(({ agentTable, name }) => [name, agentTable.owed(table)?.last ?? 0]))
  }

  /**
   * What keeps the nodes from agreeing on the agents; all of it has to end once nothing goes wrong any more.
   *
   * @param owed reports that came after these may be under way: agents of our own never rest
   */
  differences(owed?: ReadonlyMap<string, number>): string[] {
    const { agents, hasManager, nodes } = this.#options
    const [master] = nodes
    if (!master) return []
    if (agents.pending > 0) return ['a command is not answered yet']
    const tables = nodes.map((node) => ({ name: node.name, node, table: tableOf(node) }))
    const wanted = [...keyIdsOf(master, this.#options.keysPath)].join()
    const masterTable = master.agentTable.groupsState().table
    const hash = createHash('sha1')
    for (const { groups } of tables[0]?.table.values() ?? []) hash.update(hashed(groups))
    const groupsHash = hash.digest('hex')
    const overdue = [...(tables[0]?.table.values() ?? [])].filter((view) => this.#isOverdue(view, master.clock.now()))
    const silent = overdue.map(({ id, status }) => `${id} is silent, and called ${status}`)
    const others = tables.flatMap(({ name, node, table }) => {
      const says: string[] = []
      const ids = [...table.keys()].join()
      if (ids !== wanted) says.push(`the agents of ${name} are ${ids}, those of client.keys ${wanted}`)
      if (node.agentTable.groupsState().hash !== groupsHash) says.push(`${name} has other groups`)
      const { first = Number.POSITIVE_INFINITY } = node.agentTable.owed(masterTable) ?? {}
      const isUnsent = node.agentTable.uncorrectedRows > 0 || first <= (owed?.get(name) ?? Number.MAX_SAFE_INTEGER)
      if (node !== master && isUnsent) says.push(`${name} has reports that the master lacks`)
      return says
    })
    if (hasManager) return others
    const hasDefault = [...(tables[0]?.table.values() ?? [])].some(({ groups }) => groups.includes(defaultGroup))
    if (hasDefault && this.#isDefaultMissing(master)) others.push(`the group '${defaultGroup}' is not made yet`)
    return [...silent, ...others, ...this.#unmerged(master).map((path) => `${path} is not built yet`)]
  }

  #isDefaultMissing({ disk }: SimulatedNode): boolean {
    const shared = posix.join(posix.dirname(this.#options.keysPath), 'shared')
    return isThere(disk, shared) && !isThere(disk, posix.join(shared, defaultGroup))
  }

  #isOverdue({ id, status }: AgentView, nowMs: number): boolean {
    const { agents, disconnectionMs } = this.#options
    if (agents.isMasterClockSet || (status !== 'active' && status !== 'pending')) return false
    const { timed } = agents.said.allowed(id)
    return timed.length > 0 && timed.every(({ errorMs, seenMs }) => seenMs + errorMs + disconnectionMs < nowMs)
  }

  /** At the end, when the nodes agree: the master's table says what the model allows. */
  settled(nowMs: number): void {
    const [master] = this.#options.nodes
    if (!master) return
    const table = tableOf(master)
    this.#checkRegistry(table)
    for (const view of table.values()) {
      this.checks += 3
      if (this.#options.agents.enrolled.get(view.id)?.isReal) continue
      this.#checkPresence(view, nowMs)
      this.#checkFacts(view)
      this.#checkGroups(view)
    }
  }

  #checkRegistry(table: ReadonlyMap<number, AgentView>): void {
    const { agents, violated } = this.#options
    for (const { id, name } of table.values()) {
      // No caller learned whether it was enrolled; it was.
      const wrong = agents.enrolled.enrolled(name, id)
      if (wrong !== undefined) violated('an ID is never given out twice', wrong)
    }
    for (const { id, isRemoved, suspectRemovals } of agents.enrolled.all) {
      this.checks += 1
      if (!isRemoved && suspectRemovals === 0 && !table.has(id)) violated('no agent vanishes that nobody removed', `${id} is in no table`)
      if (isRemoved && table.has(id)) violated('a removed agent never comes back', `${id} is in the tables`)
    }
  }

  #checkPresence({ id, node = '', seenMs = 0, status }: AgentView, nowMs: number): void {
    const { agents, disconnectionMs, violated } = this.#options
    const { isCertain, says } = agents.said.allowed(id)
    const shown = `${status} at ${node}`
    const allowed = [...says].join(', ')
    if (status === 'never_connected') {
      if (isCertain) violated('an acknowledged report is never lost', `${id} never connected, and is ${allowed}`)
      return
    }
    // Silence counts as a report of its own, as old as the sign of life that it rests on.
    const wasHeard = ['pending', 'active'].some((before) => says.has(`${before} at ${node}`))
    const isSilent = status === 'disconnected' && wasHeard && (agents.isMasterClockSet || seenMs + disconnectionMs < nowMs)
    if (!says.has(shown) && !isSilent) violated('no older report beats a newer one', `${id} is ${shown}, and may be ${allowed}`)
  }

  #checkFacts({ facts, id }: AgentView): void {
    const { agents, violated } = this.#options
    const { isCertain, says } = agents.facts.allowed(id)
    const versions = new Set([...says].map((shown) => shown.split(' at ', 1)[0]))
    const allowed = [...versions].join(', ')
    if (!facts && isCertain) violated('an acknowledged report is never lost', `${id} has no facts, and said ${allowed}`)
    if (facts && !versions.has(facts.version))
      violated('no older report beats a newer one', `${id} is what it said as '${facts.version}', and may be '${allowed}'`)
  }

  #checkGroups({ groups, id }: AgentView): void {
    const { agents, violated } = this.#options
    const possible = agents.enrolled.get(id)?.groups
    const shown = groups.join()
    if (possible && !possible.has(shown))
      violated('groups are what was assigned last', `${id} is in '${shown}', and may be in '${[...possible].join("', '")}'`)
    if (groups.length === 0 && agents.said.allowed(id).isCertain) violated('an agent that reported has groups', `${id} has none`)
  }

  /** Merged files that lists of groups lack. */
  #unmerged({ agentTable }: SimulatedNode): string[] {
    const { masterHas } = this.#options
    return agentTable.multigroups().flatMap((list) => {
      const path = `var/multigroups/${hashed(list)}/merged.mg`
      return !masterHas(path) && list.some((group) => masterHas(`etc/shared/${group}/merged.mg`)) ? [path] : []
    })
  }
}

const isThere = (disk: Disk, path: string): boolean => {
  try {
    disk.lstat(path)
    return true
  } catch {
    return false
  }
}

const keyIdsOf = (master: SimulatedNode, path: string): Set<number> => {
  try {
    const lines = master.disk.contentOf(path).toString().split('\n')
    const live = lines.map((line) => line.split(' ')).filter(([, name = '!']) => !name.startsWith('!') && !name.startsWith('#'))
    return new Set(live.map(([id]) => Number(id)).sort((a, b) => a - b))
  } catch {
    return new Set()
  }
}
