/** A cluster beside real managers: who may write what on the machines, when rules are loaded again, and where groups arrive. */
import { describe, expect, it } from 'vitest'
import type { AnswerLine } from '../../../src/domain/queries/answerLine.js'
import { SimulatedCluster } from '../../../src/simulation/cluster.js'
import { checkDiskChange, MasterHistory } from '../../../src/simulation/rules/checkers.js'
import type { DiskChange } from '../../../src/simulation/world/watchedDisk.js'

const { signal } = new AbortController()

const startCluster = async (): Promise<SimulatedCluster> => {
  const cluster = new SimulatedCluster({ seed: 7, nodes: 3, timings: { agentGroupStartDelayMs: 0 }, manager: 'wazuh', linesKept: 10_000 })
  cluster.managed?.populate(4, ['default', 'web'])
  cluster.startAll()
  await cluster.clock.advance(60_000)
  return cluster
}

const managerOf = (cluster: SimulatedCluster, name: string) => {
  const { manager, running } = cluster.node(name)
  if (!manager || !running) throw new Error(`${name} has no manager, or does not run`)
  return { ...manager, db: manager.db, daemons: manager.daemons, running }
}

const rulesOf = async (cluster: SimulatedCluster): Promise<readonly unknown[]> => {
  const lines: AnswerLine[] = []
  const asking = (async () => {
    for await (const line of managerOf(cluster, 'master').running.query({ kind: 'files', all: false }, signal)) lines.push(line)
  })()
  await cluster.clock.advance(5_000)
  await asking
  return lines.flatMap((line) => (line.kind === 'filesOf' ? [[line.summary.node, line.summary.ruleset?.messages]] : []))
}

const finish = async (cluster: SimulatedCluster): Promise<void> => {
  expect(cluster.differences()).toEqual([])
  await cluster.stopAll()
  expect(cluster.violations).toEqual([])
}

describe('rules beside real managers', () => {
  it('are loaded again on each worker after a change, and the master shows what was said of them', async () => {
    const cluster = await startCluster()
    const reloads = () => ['master', 'w1', 'w2'].map((name) => managerOf(cluster, name).daemons.reloads)
    const before = reloads()
    managerOf(cluster, 'w2').daemons.reload = { isLoaded: false, messages: ['Rule 7 is wrong'] }
    cluster.write('master', 'etc/rules/local.xml', Buffer.from('<group/>'))
    cluster.write('master', 'etc/shared/web/agent.conf', Buffer.from('<agent_config/>'))
    await cluster.clock.advance(20_000)
    expect(reloads().map((count, index) => count - (before[index] ?? 0))).toEqual([0, 1, 1])
    expect(await rulesOf(cluster)).toEqual([
      ['w1', []],
      ['w2', ['Rule 7 is wrong']],
    ])
    await finish(cluster)
  })

  it('are loaded again when the API asked a worker for it, and the master knows it after its restart', async () => {
    const cluster = await startCluster()
    const { daemons, running } = managerOf(cluster, 'w1')
    daemons.reload = { isLoaded: true, messages: ['Rule 8 is old'] }
    const before = daemons.reloads
    running.managerRequests.reloadRulesetAfterCheck()
    await cluster.clock.advance(20_000)
    expect(daemons.reloads - before).toBe(1)
    const says = 'Ruleset reload triggered by cluster integrity check: reload message sent successfully.'
    expect(cluster.trace.lines().filter((line) => line.includes(says))).toHaveLength(1)
    cluster.crash('master', 'process')
    cluster.start('master')
    await cluster.clock.advance(60_000)
    expect(await rulesOf(cluster)).toEqual([
      ['w1', ['Rule 8 is old']],
      ['w2', undefined],
    ])
    await finish(cluster)
  })

  it('never keep files from being synced, whatever their manager says', async () => {
    const cluster = await startCluster()
    managerOf(cluster, 'w1').daemons.isDown = true
    for (const content of ['<a/>', '<b/>', '<c/>']) {
      cluster.write('master', 'etc/rules/local.xml', Buffer.from(content))
      await cluster.clock.advance(10_000)
    }
    const says = 'wazuh-analysisd could not be asked to load the rules again'
    expect(cluster.trace.lines().filter((line) => line.includes(says))).toHaveLength(1)
    await finish(cluster)
  })
})

describe('groups beside real managers', () => {
  it("go from the master's wazuh-db into that of each worker, and leave it again", async () => {
    const cluster = await startCluster()
    const groupsOf = (id: number) => ['w1', 'w2'].map((name) => managerOf(cluster, name).db.groupsOf(id))
    managerOf(cluster, 'master').db.assignGroups(2, ['web', 'default'])
    await cluster.clock.advance(20_000)
    expect(groupsOf(2)).toEqual([
      ['web', 'default'],
      ['web', 'default'],
    ])
    managerOf(cluster, 'master').db.assignGroups(2, [])
    await cluster.clock.advance(20_000)
    expect(groupsOf(2)).toEqual([[], []])
    await finish(cluster)
  })
})

describe('what a node may do to the disk beside a real manager', () => {
  const operations = ['write', 'chmod', 'mkdir', 'rename', 'unlink', 'rmdir'] as const
  const broken = (role: 'master' | 'worker', path: string, operation: DiskChange['operation'], from = 'queue/cluster/n/x') => {
    const cluster = new SimulatedCluster({ seed: 1, nodes: 1, manager: 'wazuh' })
    const { disk, home, stageDir } = { disk: cluster.master.disk, home: '/var/ossec', stageDir: '/var/ossec/queue/cluster/n' }
    cluster.write('master', from, Buffer.from('never of the master'))
    const rules = {
      ...{ disk, home, role, stageDir, synced: cluster.synced },
      manager: 'wazuh' as const,
      node: 'n',
      history: new MasterHistory(),
    }
    return checkDiskChange(rules, { operation, path: `${home}/${path}`, from: `${home}/${from}` })
  }
  const notOurs = [
    ...['queue/db/global.db', 'queue/db/wdb', 'queue/rids/001', 'queue/agents-timestamp', 'queue/sockets/auth', 'etc/ossec.conf'],
    ...['etc/shared/ar.conf', 'etc/internal_options.conf', 'var/run/x.pid', 'bin/wazuh-clusterd', 'logs/ossec.log'],
  ]

  it.each(['master', 'worker'] as const)('is on a %s never a change of what belongs to the programs of the manager', (role) => {
    for (const path of notOurs)
      for (const operation of ['write', 'chmod', 'rename', 'unlink'] as const)
        expect([path, operation, broken(role, path, operation)]).not.toEqual([path, operation, undefined])
  })

  it('is on a master no change of the synced tree at all', () => {
    for (const path of ['etc/client.keys', 'etc/shared/default/merged.mg', 'var/multigroups/0123abcd/merged.mg', 'etc/rules/local.xml'])
      for (const operation of operations) expect(broken('master', path, operation)).toBeDefined()
  })

  it('is on a worker no change of the mode of what is there, and no write in place', () => {
    for (const path of ['etc', 'etc/shared', 'etc/shared/default', 'etc/rules', 'etc/client.keys', 'etc/rules/local.xml'])
      for (const operation of ['chmod', 'write'] as const)
        expect([path, operation, broken('worker', path, operation)]).not.toEqual([path, operation, undefined])
  })
})
