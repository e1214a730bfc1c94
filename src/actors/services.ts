/**
 * What runs in a node, by its role, in the order in which it is started: its tree, its agents, on the master what all workers share, and
 * last its side of the cluster. A new service is a row here.
 */
import type { AnyActorLogic } from 'xstate'
import { neverGivenUp, type RestartPolicy } from '../domain/cluster/restartPolicy.js'
import { localAgentGroups } from './agents/localAgentGroups.js'
import { localAgents } from './agents/localAgents.js'
import { mergedFiles } from './agents/mergedFiles.js'
import { apiThread } from './api/apiThread.js'
import { balancerService } from './balancerService.js'
import { certificateWatch } from './cluster/certificateWatch.js'
import { enrolmentThread } from './enrolment/enrolmentThread.js'
import { localIntegrity } from './files/localIntegrity.js'
import { supervised } from './kit/supervised.js'
import { listenerThread } from './listener/thread/listenerThread.js'
import { agentsCompared } from './manager/agentsCompared.js'
import { groupsGiven } from './manager/groupsGiven.js'
import { groupsTaken } from './manager/groupsTaken.js'
import { rulesetReload } from './manager/rulesetReload.js'
import { statesGiven } from './manager/statesGiven.js'
import { statesTaken } from './manager/statesTaken.js'
import type { NodeContext, NodeIdentity } from './nodeContext.js'
import { ownFigures } from './ownFigures.js'

type Role = NodeIdentity['type']

export interface Service {
  readonly name: string
  readonly roles: readonly Role[]
  start(node: NodeContext): void
}

/** A thread that is restarted when it crashes. Nothing: this node does without it. */
const thread = (
  name: string,
  roles: readonly Role[],
  logicOf: (node: NodeContext) => AnyActorLogic | false | undefined,
  policy?: RestartPolicy,
): Service => ({
  name,
  roles,
  start: (node) => {
    const logic = logicOf(node)
    const { meter, ports } = node
    const rule = { name, clock: ports.clock, onRestart: meter.threadRestarted, ...(policy && { policy }) }
    if (logic) node.boundaries.run(supervised(logic, rule), { input: undefined, log: node.log })
  },
})

const everywhere = ['master', 'worker'] as const

export const services: readonly Service[] = [
  thread('localIntegrity', everywhere, ({ identity: { timings }, log, meter, ports: { clock }, tree }) =>
    localIntegrity({
      tree,
      clock,
      intervalMs: timings.recalculateIntegrityMs,
      log: log.at({ subtag: 'Local integrity' }),
      onScanned: meter.scanned,
      onOverflow: meter.watcherOverflowed,
    }),
  ),
  thread('localAgents', everywhere, ({ agents, identity: { timings }, log, ports: { clock }, tree }) =>
    localAgents({ agents, tree, clock, checkIntervalMs: timings.recalculateIntegrityMs, log: log.at({ subtag: 'Local agents' }) }),
  ),
  thread('localAgentGroups', ['master'], ({ agents, groups, identity: { timings }, log, ports: { clock } }) =>
    localAgentGroups({
      agents,
      published: groups,
      clock,
      intervalMs: timings.masterSyncAgentGroupsMs,
      startDelayMs: timings.agentGroupStartDelayMs,
      log: log.at({ subtag: 'Local agent-groups' }),
    }),
  ),
  thread(
    'groupsTaken',
    ['master'],
    ({ agents, log, ports: { clock }, wazuhDb: db }) => db && groupsTaken({ agents, db, clock, log: log.at({ subtag: 'Agent groups' }) }),
    neverGivenUp,
  ),
  thread(
    'groupsGiven',
    ['worker'],
    ({ agents, identity: { timings }, log, ports: { clock }, tree, wazuhDb: db }) =>
      db &&
      groupsGiven({
        ...{ agents, clock, db, tree, log: log.at({ subtag: 'Agent groups' }) },
        groupsMsMax: timings.timeoutAgentGroupsMs,
        intervalMs: timings.workerSyncAgentGroupsMs,
        mismatchesMax: timings.agentGroupsMismatchesMax,
      }),
    neverGivenUp,
  ),
  thread(
    'rulesetReload',
    ['worker'],
    ({ emit, log, ports: { clock, wazuh }, role, ruleset }) =>
      wazuh &&
      rulesetReload({
        ...{ changes: ruleset, clock, daemons: wazuh.daemons, log: log.at({ subtag: 'Integrity check' }) },
        master: () => role.masterLink,
        onUnsupported: () => emit({ type: 'reloadWanted' }),
      }),
    neverGivenUp,
  ),
  thread('mergedFiles', ['master'], ({ agents, identity: { manager, timings }, log, ports: { clock }, tree }) =>
    manager === 'wazuh'
      ? undefined
      : mergedFiles({ agents, tree, clock, intervalMs: timings.recalculateIntegrityMs, log: log.at({ subtag: 'Merged files' }) }),
  ),
  // What becomes of the agents of a real manager, between its database and our table.
  thread(
    'statesTaken',
    ['worker'],
    ({ agents, identity: { node }, log, ports: { clock, wazuh }, wazuhDb: db }) =>
      wazuh && db && statesTaken({ ...{ agents, clock, db, node }, journal: wazuh.taken, log: log.at({ subtag: 'Agent states' }) }),
    neverGivenUp,
  ),
  thread(
    'statesGiven',
    ['master'],
    ({ agents, identity: { node }, log, ports: { clock }, stateGiver: giver, wazuhDb: db }) =>
      db && giver && statesGiven({ ...{ agents, clock, db, giver, node }, log: log.at({ subtag: 'Agent states' }) }),
    neverGivenUp,
  ),
  thread(
    'agentsCompared',
    everywhere,
    ({ agents, identity: { node }, log, ports: { clock }, stateGiver: giver, wazuhDb: db }) =>
      db && agentsCompared({ ...{ agents, clock, db, giver, node }, log: log.at({ subtag: 'Agent states' }) }),
    neverGivenUp,
  ),
  // What agents can do to their listener is no reason for the cluster to lose a node.
  thread(
    'listener',
    everywhere,
    ({ agents, emit, fronts, identity: { listener: options, manager }, log, ports: { clock, listener: host }, role, states, tree }) =>
      options &&
      host &&
      manager === 'none' &&
      listenerThread({
        ...{ agents, clock, front: fronts.listener, host, operations: role.operations, options, state: states.own, tree },
        log: log.at({ subtag: 'Listener' }),
        onListening: (port) => emit({ type: 'listenerStarted', port }),
      }),
    neverGivenUp,
  ),
  thread(
    'enrolment',
    everywhere,
    ({ emit, fronts, identity: { enrolment: settings, manager }, log, ports: { enrolment: host }, role: { operations }, states }) =>
      settings &&
      host &&
      manager === 'none' &&
      enrolmentThread({
        ...{ front: fronts.enrolment, host, operations, settings, state: states.own },
        log: log.at({ subtag: 'Enrolment' }),
        onListening: (port) => emit({ type: 'enrolmentStarted', port }),
      }),
    neverGivenUp,
  ),
  // A balancer that cannot be reached is no reason either.
  thread('haproxyHelper', ['master'], (node) => balancerService(node), neverGivenUp),
  thread(
    'api',
    everywhere,
    (node) => {
      const {
        emit,
        fronts,
        identity: { api: options },
        log,
        ports: { api: host, clock },
        role,
      } = node
      return (
        options &&
        host &&
        apiThread({
          ...{ clock, front: fronts.api, host, options },
          answer: (request, signal) => role.answer(request, signal),
          figures: () => ownFigures(node, role),
          log: log.at({ subtag: 'API' }),
          onListening: (port) => emit({ type: 'apiStarted', port }),
        })
      )
    },
    neverGivenUp,
  ),
  thread(
    'certificates',
    everywhere,
    ({ identity: { node }, log, ports: { certificates, clock }, role }) =>
      certificates &&
      certificateWatch({
        ...{ node, certificates, clock, log: log.at({ subtag: 'Certificates' }) },
        links: () => role.registry?.links() ?? (role.masterLink ? [role.masterLink] : []),
      }),
  ),
  { name: 'cluster', roles: everywhere, start: ({ boundaries, role }) => boundaries.run(role.logic) },
]
