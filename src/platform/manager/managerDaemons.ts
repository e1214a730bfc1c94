/** The daemons of a real manager that nodes ask, each over its own socket. */
import { join } from 'node:path'
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { isLowerVersion } from '../../domain/cluster/wazuhVersion.js'
import type { AskedDaemon, ManagerDaemons } from '../../ports/manager.js'
import { parseReloadAnswer, reloadRequest } from '../../wire/wazuh/reloadAnswer.js'
import { managerVersion } from '../machine/managerVersion.js'
import { askDaemon } from './daemonSocket.js'
import { asDaemonFailure, type DaemonName } from './managerFailure.js'

/** Which daemon has the socket: the tasks of upgrades are kept by wazuh-modulesd. */
const asked: Readonly<Record<AskedDaemon, DaemonName>> = {
  authd: { daemon: 'wazuh-authd', path: 'queue/sockets/auth' },
  remoted: { daemon: 'wazuh-remoted', path: 'queue/sockets/remote' },
  'task-manager': { daemon: 'wazuh-modulesd', path: 'queue/tasks/task' },
}

const analysisd: DaemonName = { daemon: 'wazuh-analysisd', path: 'queue/sockets/analysis' }
/** The first that loads its rules again while it runs. */
const reloadingVersion = '4.13.0'

export const createManagerDaemons = (home: string): ManagerDaemons => ({
  ask: async (daemon, message, signal) => {
    const { daemonAnswerBytesMax: answerBytesMax, daemonAnswerMsMax: answerMsMax } = limits
    try {
      return await askDaemon({ home, name: asked[daemon], message, answerBytesMax, answerMsMax }, signal)
    } catch (thrown) {
      throw isTooLong(thrown) ? new ClusterError('tooLarge', { message: thrown.message, cause: thrown }) : thrown
    }
  },
  reloadRuleset: async (signal) => {
    const version = managerVersion(home)
    if (version !== undefined && isLowerVersion(version, reloadingVersion)) return undefined
    const { rulesetAnswerBytesMax: answerBytesMax, rulesetReloadMsMax: answerMsMax } = limits
    const answer = await askDaemon({ home, name: analysisd, message: reloadRequest, answerBytesMax, answerMsMax }, signal)
    const reload = parseReloadAnswer(answer)
    if (reload.ok) return reload.value
    throw asDaemonFailure(analysisd, reload.error)
  },
})

/** It was asked and has answered: a program that asks again has it done twice. */
const isTooLong = (thrown: unknown): thrown is ClusterError =>
  thrown instanceof ClusterError && thrown.cause instanceof ClusterError && thrown.cause.code === 'tooLarge'

/** The socket of one of them, absolute. */
export const daemonSocketPath = (home: string, daemon: AskedDaemon | 'analysis'): string =>
  join(home, daemon === 'analysis' ? analysisd.path : asked[daemon].path)
