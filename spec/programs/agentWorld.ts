/** A minimal master with agents and groups behind a control server, and agents to fill it with. */
import fc from 'fast-check'
import { ClusterError } from '../../src/base/errors.js'
import {
  type AgentFacts,
  type AgentListShape,
  type AgentView,
  agentFactNames,
  agentStatuses,
  disconnections,
} from '../../src/domain/agents/agent.js'
import type { AgentCommand } from '../../src/domain/agents/agentCommand.js'
import type { AgentQuery, AgentTool } from '../../src/domain/agents/agentQuery.js'
import { changedGroups, type GroupsChange, groupsHash, isGroupName } from '../../src/domain/agents/groups.js'
import { agentRow, answerPages, widenedShape } from '../../src/domain/queries/agentAnswer.js'
import type { AnswerLine } from '../../src/domain/queries/answerLine.js'
import type { ClusterQuery } from '../../src/domain/queries/clusterQuery.js'
import { type ControlRequest, isCommand } from '../../src/domain/queries/controlRequest.js'
import { isForwarded, notOnWorker } from '../../src/domain/queries/forwardedRequest.js'
import type { Answer } from '../../src/localSocket/controlConnection.js'

const emptyShape: AgentListShape = { count: 0, idDigits: 3, nameChars: 0, ipChars: 0, statusChars: 0, versionChars: 0, nodeChars: 0 }

export const listing = function* (agents: Iterable<AgentView>): Generator<AnswerLine> {
  const rows = [...agents].map(agentRow)
  yield { kind: 'agentsShape', shape: rows.reduce(widenedShape, emptyShape) }
  for (const page of answerPages(rows)) yield { kind: 'agents', rows: page }
}

export const facts: AgentFacts = {
  ip: '10.0.0.7',
  osName: 'Debian GNU/Linux',
  osVersion: '12',
  osPlatform: 'debian',
  osArch: 'x86_64',
  osUname: 'Linux |vm |6.1.0 |#1 SMP |x86_64',
  version: 'Wazuh v4.14.7',
  configSum: 'ab73af41699f13fdd81903b5f23d8d00',
  mergedSum: '4a8724b20dee0124ff9656783c490c4e',
  labels: '',
}

export const agent = (id: number, changed: Partial<AgentView> = {}): AgentView => ({
  id,
  name: `agent-${id}`,
  registeredIp: 'any',
  status: 'never_connected',
  groups: [],
  groupHash: '',
  ...changed,
})

export class AgentWorld {
  readonly agents = new Map<number, AgentView>()
  readonly groups = new Set(['default'])
  /** Directories of groups whose creation was interrupted. */
  readonly unfinished = new Set<string>()
  readonly asked: ControlRequest[] = []
  /** Happens between the program's query of an agent and its change. */
  onChange = (): unknown => undefined
  readonly #synchronized: ReadonlySet<number>

  constructor(agents: readonly AgentView[], synchronized: readonly number[] = []) {
    for (const one of agents) {
      this.agents.set(one.id, one)
      for (const group of one.groups) this.groups.add(group)
    }
    this.#synchronized = new Set(synchronized)
  }

  /** The answers of the master, for `serve`. */
  readonly answer: Answer = (request) => this.#lines(request)

  async *#lines(request: ControlRequest): AsyncGenerator<AnswerLine> {
    this.asked.push(request)
    yield { kind: 'cluster', name: 'c', unknownNodes: [] }
    if (isCommand(request) && request.kind !== 'setNodeState') yield this.#command(request)
    else if (request.kind === 'report') yield { kind: 'reported', taken: request.reports.length, unknown: 0, refused: 0 }
    else if (!isCommand(request) && isAboutAgents(request)) yield* this.#answer(request)
    yield { kind: 'end' }
  }

  *#answer(query: AgentQuery): Generator<AnswerLine> {
    switch (query.kind) {
      case 'agents':
        if (query.group !== undefined && query.tool !== undefined) this.#assertKnownGroup(query.group)
        yield* listing(
          [...this.agents.values()].filter(
            ({ groups, node, status }) =>
              (query.statuses?.includes(status) ?? true) &&
              (query.nodes?.includes(node ?? '') ?? true) &&
              (query.group === undefined || groups.includes(query.group)),
          ),
        )
        break
      case 'agent':
        yield { kind: 'agent', agent: this.#agent(query.id, query.tool), isSynchronized: this.#synchronized.has(query.id) }
        break
      case 'groups':
        yield { kind: 'groups', groups: [...this.groups].map((name) => ({ name, agents: this.#agentsOf(name).length })) }
        yield { kind: 'unassigned', agents: [...this.agents.values()].filter(({ groups }) => groups.length === 0).length }
        break
      case 'groupFiles':
        if (!this.unfinished.has(query.group)) this.#assertGroup(query.group)
        if (this.groups.has(query.group)) yield { kind: 'groupFiles', files: [{ name: 'agent.conf', digest: 'd1' }] }
        yield { kind: 'groupFiles', files: [{ name: 'merged.mg', digest: 'd2' }] }
        break
      // No program on the terminal asks them.
      case 'agentDetails':
      case 'agentSummary':
        break
    }
  }

  #command(command: AgentCommand): AnswerLine {
    switch (command.kind) {
      case 'changeGroups':
        this.onChange()
        return { kind: 'done', changed: this.#change(command.change) }
      case 'createGroup':
        if (this.groups.has(command.group)) throw new ClusterError('groupExists', { message: `The group already exists: ${command.group}` })
        this.groups.add(command.group)
        return { kind: 'done', changed: 0 }
      case 'removeGroup': {
        const changed = this.#change({ kind: 'dissolve', group: command.group })
        if (changed === 0) this.#assertGroup(command.group)
        this.groups.delete(command.group)
        return { kind: 'done', changed }
      }
      case 'addAgent': {
        const id = Math.max(0, ...this.agents.keys()) + 1
        const { ip, key, name } = command
        this.agents.set(id, agent(id, { name, registeredIp: ip }))
        return { kind: 'added', entry: { id, name, ip, key } }
      }
      case 'reconnectAgents': {
        const { ids, nodes } = command
        if (nodes?.includes('gone')) return { kind: 'reconnected', node: 'gone', agents: 0, error: 'The connection was lost' }
        const asked = [...this.agents.values()].filter(
          ({ id, node }) => (!ids || ids.includes(id)) && (!nodes || nodes.includes(node ?? '')),
        )
        return { kind: 'reconnected', node: 'w1', agents: asked.filter(({ node }) => node === 'w1').length }
      }
      case 'removeAgent':
        this.agents.delete(this.#agent(command.id, command.tool).id)
        return { kind: 'done', changed: 1 }
    }
  }

  #change(change: GroupsChange): number {
    if (change.kind === 'assign') this.#assertGroup(change.group)
    const changed = [...this.agents.values()]
      .filter(({ id }) => change.kind === 'dissolve' || change.ids.includes(id))
      .map((one) => ({ before: one.groups, one, after: changedGroups(one.groups, change) }))
      .filter(({ before, after }) => before.join() !== after.join())
    for (const { one, after } of changed) this.agents.set(one.id, { ...one, groups: after, groupHash: groupsHash(after) })
    return changed.length
  }

  #agentsOf(group: string): readonly AgentView[] {
    return [...this.agents.values()].filter(({ groups }) => groups.includes(group))
  }

  #agent(id: number, tool: AgentTool): AgentView {
    const found = this.agents.get(id)
    if (found) return found
    throw new ClusterError(tool === 'agent_groups' ? 'agentMissing' : 'unknownAgent')
  }

  /** Agents may have one that has no directory. */
  #assertKnownGroup(group: string): void {
    if (![...this.agents.values()].some(({ groups }) => groups.includes(group))) this.#assertGroup(group)
  }

  #assertGroup(group: string): void {
    if (!this.groups.has(group)) throw new ClusterError(isGroupName(group) ? 'groupMissing' : 'groupNameInvalid')
  }
}

/** A worker, which refuses the programs of the master, and has no master for the others. */
export const workerOf =
  (masterAddress: string): Answer =>
  (request) => {
    if (!isForwarded(request)) throw notOnWorker(masterAddress)
    throw new ClusterError('notConnected')
  }

/** It needs no escaping. */
const plain = (charsMax: number) => fc.string({ unit: fc.constantFrom(...'abZ09.-_é😀'), minLength: 1, maxLength: charsMax })
const connected = fc.record({
  node: plain(12),
  seenMs: fc.integer({ min: 1, max: 4e12 }),
  facts: fc
    .record({ ip: fc.oneof(fc.constant(''), fc.ipV4()), version: fc.constantFrom('', 'Wazuh v4.14.7', 'OSSEC HIDS v2.8') })
    .map((known) => ({ ...Object.fromEntries(agentFactNames.map((name) => [name, ''])), ...facts, ...known })),
  disconnectedMs: fc.integer({ min: 0, max: 4e12 }),
  disconnection: fc.constantFrom(...disconnections),
})

/** Agents with different IDs, in their order. */
export const agentLists: fc.Arbitrary<readonly AgentView[]> = fc
  .uniqueArray(
    fc
      .record({
        id: fc.oneof(fc.nat({ max: 2_000 }), fc.nat({ max: 2 ** 31 - 1 })),
        name: plain(30),
        registeredIp: fc.oneof(fc.constant('any'), fc.ipV4(), fc.ipV6()),
        status: fc.constantFrom(...agentStatuses),
        groups: fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { maxLength: 3 }),
        groupHash: fc.constant(''),
        seen: fc.option(connected, { nil: undefined }),
      })
      .map(({ seen, ...known }) => ({ ...known, ...seen })),
    { selector: ({ id }) => id, maxLength: 12 },
  )
  .map((agents) => agents.sort((one, other) => one.id - other.id))

const isAboutAgents = (query: ClusterQuery): query is AgentQuery => !['nodes', 'health', 'files', 'overview', 'events'].includes(query.kind)
