/**
 * Composition root of the daemon: a node on the real world, its local socket for cluster_control, and the command that
 * reloads the manager. Signals and flags are the command line's business (cli/wazuh-clusterd.ts).
 */
import { execFile } from 'node:child_process'
import type { ClusterError } from './base/errors.js'
import { limits } from './base/limits.js'
import { clusterAsRead } from './config/clusterAsRead.js'
import type { NodeSettings } from './config/settings.js'
import { type ClusterNode, createNode } from './createNode.js'
import type { ReportRequest } from './domain/agents/agentReport.js'
import type { AnswerLine } from './domain/queries/answerLine.js'
import { isCommand } from './domain/queries/controlRequest.js'
import type { Answer } from './localSocket/controlConnection.js'
import { startControlServer } from './localSocket/controlServer.js'
import { controlSocketPath, wazuhSocketPath } from './localSocket/controlSocketPath.js'
import { type LocalServer, type LocalServerOptions, startLocalServer } from './localSocket/wazuh/localServer.js'
import { shared } from './localSocket/wazuh/sharedWork.js'
import { managerBeside } from './platform/machine/findManager.js'
import type { Log } from './ports/machine.js'

export interface Daemon {
  stop(): Promise<void>
  /** Resolves when the node cannot be kept up any more. */
  readonly failed: Promise<ClusterError>
}

/** The reload command gets this long, in milliseconds. */
const reloadMsMax = 60_000

export const startDaemon = async (settings: NodeSettings, { log }: { readonly log: Log }): Promise<Daemon> => {
  const mainLog = log.at({ tag: 'Cluster', subtag: 'Main' })
  const manager = managerBeside(settings.home, settings.manager)
  const node = createNode({
    home: settings.home,
    type: settings.nodeType,
    node: settings.nodeName,
    cluster: settings.name,
    key: settings.key,
    ...(settings.previousKey !== undefined && { previousKey: settings.previousKey }),
    master: { host: settings.masterAddress, port: settings.port },
    bindAddress: settings.bindAddress,
    synced: settings.synced,
    compression: settings.compression,
    manager,
    apiBridge: settings.apiBridge,
    workersMax: settings.workersMax,
    timings: settings.timings,
    enrolmentRules: settings.enrolmentRules,
    ...(settings.enrolment && { enrolment: settings.enrolment }),
    ...(settings.listener && { listener: settings.listener }),
    ...(settings.api && { api: settings.api }),
    events: settings.events,
    verifiesCounters: settings.verifiesCounters,
    proxies: settings.proxies,
    hidden: settings.hidden,
    ...(settings.balancer && { balancer: settings.balancer }),
    ...(settings.tls && { tls: settings.tls }),
    ports: { log },
  })
  const reload = settings.reloadCommand && reloader(settings.reloadCommand, mainLog)
  const failed = new Promise<ClusterError>((resolve) => {
    node.onEvent((event) => {
      if (event.type === 'failed') resolve(event.error)
      if (event.type === 'reloadWanted') reload?.()
    })
  })
  const control = await startControlServer({
    socketPath: controlSocketPath(settings.home),
    answer: answerOf(node),
    log,
    limits,
  })
  let local: LocalServer | undefined
  try {
    local = manager === 'wazuh' ? await startLocalServer(localServerOptions(node, settings, log)) : undefined
    await node.start()
  } catch (thrown) {
    await Promise.all([control.close(), local?.close()])
    throw thrown
  }
  return {
    failed,
    stop: async () => {
      await Promise.all([control.close(), local?.close()])
      await node.stop()
    },
  }
}

/** The node as the programs of a Wazuh manager know its daemon. */
const localServerOptions = (node: ClusterNode, settings: NodeSettings, log: Log): LocalServerOptions => ({
  socketPath: wazuhSocketPath(settings.home),
  node: {
    type: settings.nodeType,
    configuration: clusterAsRead(settings),
    query: (query, signal) => node.query(query, signal),
    rulesetDigests: shared(() => node.rulesetDigests()),
    get requests() {
      return node.managerRequests
    },
  },
  log,
  limits,
})

/** What comes over the local socket goes where it belongs: a keep-alive straight to the reports. */
const answerOf =
  (node: ClusterNode): Answer =>
  (request, signal) => {
    if (request.kind === 'report') return reportAnswer(node, request)
    return isCommand(request) ? node.carryOut(request, signal) : node.query(request, signal)
  }

async function* reportAnswer({ agents }: ClusterNode, { reports }: ReportRequest): AsyncGenerator<AnswerLine> {
  const { refused, refusedFacts, taken, unknown } = await agents.report(reports)
  yield { kind: 'reported', refused, taken, unknown, ...(refusedFacts.length > 0 && { refusedFacts }) }
  yield { kind: 'end' }
}

/** Runs the command once per applied plan, one at a time; a plan that comes in meanwhile asks for one more run. */
const reloader = ([program = '', ...args]: readonly string[], log: Log): (() => void) => {
  let running = false
  let wanted = false
  const run = (): void => {
    running = true
    wanted = false
    log.info(`Running the reload command '${program}'.`)
    execFile(program, args, { timeout: reloadMsMax }, (error) => {
      running = false
      if (error) log.error(`The reload command '${program}' failed: ${error.message.split('\n', 1)[0]}`)
      else log.info(`The reload command '${program}' finished.`)
      if (wanted) run()
    })
  }
  return () => {
    if (running) wanted = true
    else run()
  }
}
