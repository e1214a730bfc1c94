/** Daemons on homes that hold what a real Wazuh manager has there: its database stays its own, and what it does is left to it. */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { replaceBelow, writeBelow } from '../../examples/demo/nodeHome.js'
import type { ProcessCluster } from '../../examples/demo/processCluster.js'
import { waitFor } from '../../examples/demo/waitFor.js'
import { agentTablePath, earlierTablePath } from '../../src/platform/agents/agentTablePath.js'
import { ForeignOwner, seenIn } from '../support/agents/foreignOwner.js'
import { master, withCluster, worker } from '../support/daemons.js'

const nodes = [master, worker]

/** Directories as in a package of Wazuh, or with more unusual owners and modes. */
const directories = { etc: 0o770, 'etc/shared': 0o751, 'etc/rules': 0o770, logs: 0o700, 'var/run': 0o750, queue: 0o711, 'queue/db': 0o750 }

const makeDirectories = (home: string): void => {
  for (const [directory, mode] of Object.entries(directories)) {
    const path = join(home, directory)
    mkdirSync(path, { recursive: true })
    chmodSync(path, mode)
    // Only root may give a directory away, and only root may write there then.
    if (process.getuid?.() === 0) chownSync(path, 4_711, 4_712)
  }
}

const stateOf = (home: string): unknown =>
  Object.keys(directories).map((directory) => {
    const { gid, mode, uid } = statSync(join(home, directory))
    return { directory, gid, mode, uid }
  })

const withForeign = (use: (cluster: ProcessCluster, owner: ForeignOwner, twin: string) => Promise<void>): Promise<void> =>
  withCluster(nodes, async (cluster) => {
    for (const name of nodes) makeDirectories(cluster.home(name))
    const twin = join(cluster.root, 'twin.db')
    const owner = new ForeignOwner([...nodes.map((name) => join(cluster.home(name), earlierTablePath)), twin])
    try {
      await owner.opened()
      await use(cluster, owner, twin)
    } finally {
      await owner.close()
    }
  })

const agents = async (cluster: ProcessCluster): Promise<string> => (await cluster.control(master, ['-a'])).out

describe('a database of another program in queue/db/global.db, which holds it open and writes to it', () => {
  it('is byte for byte what its owner made it, through start, work, kill -9, damage of our table and stop', () =>
    withForeign(async (cluster, owner, twin) => {
      const homes = nodes.map((name) => cluster.home(name))
      const before = homes.map(stateOf)
      let rows = 0
      /** What we do in between does not change it; then its owner goes on. */
      const undisturbed = async (what: string, act: () => Promise<unknown>): Promise<void> => {
        const seen = homes.map((home) => seenIn(join(home, 'queue/db')))
        await act()
        expect([what, homes.map((home) => seenIn(join(home, 'queue/db')))]).toEqual([what, seen])
        rows += 1
        expect([what, await owner.write(what)]).toEqual([what, [Array(3).fill(rows), Array(3).fill('ok')]])
      }
      await undisturbed('start', () => cluster.startAll())
      await undisturbed('work', async () => {
        expect((await cluster.run('agent_control', master, ['--add', 'web'])).code).toBe(0)
        replaceBelow(cluster.masterHome, 'etc/rules/local.xml', '<group/>')
        await waitFor('The agent on the worker', async () => (await agents(cluster)).includes('web'))
        await cluster.allTheSame()
      })
      await undisturbed('kill -9', async () => {
        for (const name of nodes) await cluster.daemon(name).kill()
        await cluster.startAll()
        expect(await agents(cluster)).toContain('web')
      })
      await undisturbed('damage of our table', async () => {
        for (const name of nodes) await cluster.daemon(name).kill()
        for (const home of homes) writeFileSync(join(home, agentTablePath), 'this is no database'.repeat(1_000))
        await cluster.startAll()
        for (const name of nodes) await cluster.daemon(name).logged(`${agentTablePath} was set aside as`)
        await waitFor('The agent again', async () => (await agents(cluster)).includes('web'))
      })
      await undisturbed('stop', async () => {
        for (const name of nodes.toReversed()) expect((await cluster.daemon(name).stop()).code).toBe(0)
      })
      await owner.write('end')
      for (const home of homes) expect(readFileSync(join(home, earlierTablePath)).equals(readFileSync(twin))).toBe(true)
      expect(homes.map(stateOf)).toEqual(before)
      for (const home of homes) expect(readdirSync(join(home, 'queue/db')).filter((name) => name.includes('corrupt'))).toEqual([])
    }))

  it('is refused where our own table has its place, with exit code 1 and a sentence', () =>
    withForeign(async (cluster, owner) => {
      const own = join(cluster.masterHome, agentTablePath)
      mkdirSync(join(own, '..'), { recursive: true })
      const other = new ForeignOwner([own])
      try {
        await other.opened()
        const seen = seenIn(join(own, '..'))
        const daemon = cluster.start(master)
        expect((await daemon.ended).code).toBe(1)
        expect(daemon.lines.at(-1)).toContain(`Error 3143 - ${own} belongs to another program and is left as it is: move it out of the way`)
        expect(seenIn(join(own, '..'))).toEqual(seen)
        expect(await owner.write('one')).toEqual([Array(3).fill(1), Array(3).fill('ok')])
      } finally {
        await other.close()
      }
    }))
})

describe('the table of an earlier build in queue/db/global.db', () => {
  it('moves at the first start of a daemon, with what its log holds after kill -9', () =>
    withCluster([master], async (cluster) => {
      const home = cluster.masterHome
      await cluster.startAll()
      for (const flags of [
        ['-a', '-g', 'linux'],
        ['-a', '-i', '001', '-g', 'linux'],
      ]) {
        if (flags.includes('-i')) await cluster.run('agent_control', master, ['-q', '--add', 'web'])
        expect((await cluster.run('agent_groups', master, ['-q', ...flags])).code).toBe(0)
      }
      await cluster.daemon(master).kill()
      mkdirSync(join(home, 'queue/db'))
      const [earlier, present] = [join(home, earlierTablePath), join(home, agentTablePath)]
      for (const suffix of ['', '-wal']) renameSync(present + suffix, earlier + suffix)
      rmSync(`${present}-shm`)
      await cluster.startAll()
      await cluster
        .daemon(master)
        .logged(`INFO: [Master] [Local agents] The agents' table of an earlier build was moved from ${earlier} to ${present}.`)
      expect((await cluster.run('agent_groups', master, ['-s', '-i', '001'])).out).toContain('linux')
      expect(readdirSync(join(home, 'queue/db'))).toEqual([])
    }))
})

describe('a home with the control program of a real manager', () => {
  it("keeps its client.keys, groups and merged.mg, which are synced, and our programs name Wazuh's", () =>
    withCluster(nodes, async (cluster) => {
      const home = cluster.masterHome
      writeBelow(home, 'bin/wazuh-control', '#!/bin/sh\n', 0o750)
      writeBelow(home, 'etc/client.keys', `001 web any ${'a'.repeat(64)}\n`, 0o640)
      writeBelow(home, 'etc/shared/default/agent.conf', '<agent_config/>')
      await cluster.startAll()
      expect(cluster.daemon(master).lines.join('\n')).toContain(`Left to the Wazuh manager in ${home}: enrolling and removing agents`)
      expect(cluster.daemon(worker).lines.join('\n')).not.toContain('Left to the Wazuh manager')
      await cluster.allTheSame()
      const keys = readFileSync(join(home, 'etc/client.keys'))
      for (const [program, flags, names] of [
        ['agent_control', ['-q', '--add', 'db'], `${home}/bin/manage_agents there`],
        ['agent_control', ['-q', '--remove', '1'], `${home}/bin/manage_agents -r 001 there`],
        ['agent_groups', ['-q', '-a', '-g', 'linux'], `${home}/bin/agent_groups there`],
        ['agent_groups', ['-q', '-a', '-i', '001', '-g', 'default'], `${home}/bin/agent_groups there`],
      ] as const) {
        const { code, err } = await cluster.run(program, master, flags)
        expect([program, flags, code, err]).toEqual([program, flags, 1, expect.stringContaining(names)])
      }
      expect(readFileSync(join(home, 'etc/client.keys')).equals(keys)).toBe(true)
      expect(readdirSync(join(home, 'etc/shared'))).toEqual(['default'])
      expect(existsSync(join(home, 'etc/shared/default/merged.mg'))).toBe(false)
    }))

  it('is warned about when it is configured not to be left to it', () =>
    withCluster([master], async (cluster) => {
      const path = join(cluster.masterHome, 'etc/cluster.json')
      const given: unknown = JSON.parse(readFileSync(path, 'utf8'))
      writeFileSync(path, JSON.stringify(Object.assign({}, given, { manager: 'none' })))
      writeBelow(cluster.masterHome, 'bin/wazuh-control', '#!/bin/sh\n', 0o750)
      await cluster.startAll()
      const says = `WARNING: [Master] [Main] There is a Wazuh manager in ${cluster.masterHome} (${cluster.masterHome}/bin/wazuh-control), but the option manager is "none"`
      await cluster.daemon(master).logged(says)
      expect((await cluster.run('agent_control', master, ['-q', '--add', 'db'])).code).toBe(0)
    }))
})
