/** A process with the wazuh-db of one manager or more: fakes of the real one, over its Unix sockets and real SQL. */
import { FakeWazuhDb } from '../../spec/support/manager/wazuhDb/fakeWazuhDb.js'
import { agentKeys, factsOf } from '../agents.js'
import { answerParent } from '../answerParent.js'
import { systemMs } from '../systemClock.js'

export interface WazuhDbStart {
  readonly node: string
  readonly home: string
  readonly role: 'master' | 'worker'
  /** Agents 1 to this one are in its table. */
  readonly agents: number
}

/** How changes came from one to the other. */
export interface StatesGiven {
  /** From the answer that had them until the other had the last of them. */
  readonly seconds: number
  readonly requests: number
  /** Processor time of the fakes in it. */
  readonly cpuSeconds: number
}

const fakes = new Map<string, FakeWazuhDb>()

const cpuMs = (): number => {
  const { system, user } = process.cpuUsage()
  return (user + system) / 1_000
}

const fakeOf = (node: string): FakeWazuhDb => {
  const fake = fakes.get(node)
  if (!fake) throw new Error(`There is no wazuh-db of ${node}`)
  return fake
}

/** Every agent of a worker sends a keep-alive with new details. */
const change = (fake: FakeWazuhDb, agents: number, round: string): void => {
  for (let id = 1; id <= agents; id++) {
    const { configSum, ip, mergedSum, osArch, osName, osPlatform, osUname, osVersion, version } = factsOf(id, round)
    fake.agentSendsKeepAlive(id, {
      ...{ ip, version, config_sum: configSum, merged_sum: mergedSum },
      ...{ os_arch: osArch, os_name: osName, os_platform: osPlatform, os_uname: osUname, os_version: osVersion },
    })
  }
}

const calls = {
  start: async ({ agents, home, node, role }: WazuhDbStart): Promise<void> => {
    const fake = new FakeWazuhDb({ home, role, nodeName: node })
    fakes.set(node, fake)
    for (const { id, name } of agentKeys(agents)) fake.insertAgent(id, name)
    await fake.start()
  },

  /** Changes all agents of one, and waits until another has them. */
  states: async ({ agents, from, round, to }: { from: string; to: string; agents: number; round: string }): Promise<StatesGiven> => {
    const [worker, master] = [fakeOf(from), fakeOf(to)]
    let [takenMs, takenCpuMs, requests] = [0, 0, 0]
    let isTaken = false
    change(worker, agents, round)
    worker.lie = (_, request) => {
      if (isTaken || !request.startsWith('GET ')) return false
      isTaken = true
      // It answers in this turn.
      setImmediate(() => {
        takenMs = systemMs()
        takenCpuMs = cpuMs()
      })
      return false
    }
    master.lie = (_, request) => {
      if (request.startsWith('POST ')) requests += 1
      return false
    }
    const { configSum } = factsOf(1, round)
    const missing = `SELECT id FROM agent WHERE id BETWEEN 1 AND ${agents} AND config_sum IS NOT '${configSum}'`
    // The last is looked up first: to read all rows after each request costs more than to write them.
    await master.until(() => master.sql(`${missing} AND id=${agents}`).length === 0 && master.sql(`${missing} LIMIT 1`).length === 0)
    const seconds = (systemMs() - takenMs) / 1_000
    worker.heal()
    master.heal()
    return { seconds, requests, cpuSeconds: (cpuMs() - takenCpuMs) / 1_000 }
  },
}

export type WazuhDbCalls = typeof calls

answerParent(calls)
