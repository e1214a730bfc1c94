/** Files of every kind, between real processes, over real sockets, on real disks. */
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { writeBelow } from '../../examples/demo/nodeHome.js'
import { treeOf } from '../../examples/demo/treeOf.js'
import { waitFor } from '../../examples/demo/waitFor.js'
import { master, secondWorker, withCluster, worker } from '../support/daemons.js'

const deep = `etc/decoders/${Array.from({ length: 40 }, (_, index) => `level${index}`).join('/')}/decoder.xml`

/** Names that have caused trouble in programs. */
const awkward: Readonly<Record<string, string>> = {
  'etc/rules/with space.xml': 'a space',
  'etc/rules/it\'s "quoted".xml': 'quotes',
  'etc/lists/two\nlines': 'a newline',
  'etc/lists/größe-試験': 'not ASCII',
  [`etc/rules/${'n'.repeat(251)}.xml`]: '255 bytes of name',
  [deep]: '40 levels deep',
  'etc/shared/default/empty': '',
  'etc/shared/default/agent.conf': '<agent_config/>\n',
  'var/multigroups/kept/merged.mg': '#multi\n',
  'etc/sca/policy.yml': 'policy:\n',
  'etc/client.keys': '001 web-1 any 0123456789abcdef\n',
}

const failedRows = async (ask: () => Promise<{ readonly out: string }>, wanted: string): Promise<string> => {
  const endMs = performance.now() + 15_000
  for (;;) {
    const { out } = await ask()
    if (out.includes(wanted)) return out
    if (performance.now() > endMs) throw new Error(`cluster_control never showed '${wanted}' but:\n${out}`)
  }
}

describe('two daemons', () => {
  it('sync awkward names byte for byte with modes, links by their target, and nothing from outside', () =>
    withCluster([master, worker], async (cluster) => {
      for (const [path, content] of Object.entries(awkward)) writeBelow(cluster.masterHome, path, content, 0o600)
      symlinkSync('with space.xml', join(cluster.masterHome, 'etc/rules/link_inside.xml'))
      symlinkSync('/etc/hostname', join(cluster.masterHome, 'etc/rules/link_outside.xml'))
      writeFileSync(Buffer.concat([Buffer.from(`${cluster.masterHome}/etc/rules/`), Buffer.from([0xff, 0xfe])]), 'not UTF-8')
      await cluster.startAll()
      // The master makes the merged file of the group itself.
      const merged = '#default\n!16 agent.conf\n<agent_config/>\n!0 empty\n'
      const made = { 'etc/rules/link_inside.xml': 'a space', 'etc/shared/default/merged.mg': merged }
      const expected = new Map(Object.entries({ ...awkward, ...made }))
      const home = cluster.home(worker)
      await waitFor('All awkward names', () => treeOf(home).size === expected.size || [...treeOf(home).keys()].join(', '))
      for (const [path, content] of expected) {
        expect(readFileSync(join(home, path), 'utf8'), path).toBe(content)
        expect(lstatSync(join(home, path)).isFile(), path).toBe(true)
        expect((lstatSync(join(home, path)).mode & 0o777).toString(8), path).toBe(path === 'etc/client.keys' ? '640' : '660')
      }
      const log = cluster.daemon(master).lines.join('\n')
      expect(log).toMatch(/WARNING: .*link_outside/)
      expect(log).toMatch(/WARNING: .*UTF-8.*xff/)
    }))

  it('keep the worker’s client.keys while the master’s holds zeros, say why, and sync it once it is whole', () =>
    withCluster([master, worker], async (cluster) => {
      const [keys, rule] = ['etc/client.keys', 'etc/rules/local.xml']
      const whole = '001 web-1 any 0123456789abcdef\n'
      writeBelow(cluster.masterHome, keys, whole)
      writeBelow(cluster.masterHome, rule, 'one')
      await cluster.startAll()
      await cluster.allTheSame()
      writeFileSync(join(cluster.masterHome, keys), Buffer.alloc(whole.length))
      const ask = (): Promise<{ readonly out: string }> => cluster.control(worker, ['-f'])
      expect(await failedRows(ask, keys)).toContain('The file is not a text file on the master, so the workers keep their copies.')
      writeFileSync(join(cluster.masterHome, rule), 'two')
      await waitFor('The other file', () => readFileSync(join(cluster.home(worker), rule), 'utf8') === 'two')
      expect(readFileSync(join(cluster.home(worker), keys), 'utf8')).toBe(whole)
      writeFileSync(join(cluster.masterHome, keys), `${whole}002 web-2 any 0123456789abcdef\n`)
      await cluster.allTheSame()
    }))

  it('never write through a link on a worker: it is replaced by the file', () =>
    withCluster([master, worker], async (cluster) => {
      writeBelow(cluster.masterHome, 'etc/rules/local.xml', 'of the master')
      await cluster.startAll()
      await cluster.allTheSame()
      const outside = join(cluster.root, 'outside')
      writeFileSync(outside, 'not to be touched')
      const link = join(cluster.home(worker), 'etc/rules/local.xml')
      unlinkSync(link)
      symlinkSync(outside, link)
      await cluster.allTheSame()
      expect(lstatSync(link).isFile()).toBe(true)
      expect(readFileSync(outside, 'utf8')).toBe('not to be touched')
    }))

  it('follow a file that becomes a directory and a file again, and remove emptied group directories', () =>
    withCluster([master, worker], async (cluster) => {
      writeBelow(cluster.masterHome, 'etc/shared/web', 'a file')
      await cluster.startAll()
      await cluster.allTheSame()
      rmSync(join(cluster.masterHome, 'etc/shared/web'))
      writeBelow(cluster.masterHome, 'etc/shared/web/agent.conf', '<agent_config/>')
      await cluster.allTheSame()
      rmSync(join(cluster.masterHome, 'etc/shared/web'), { recursive: true })
      writeBelow(cluster.masterHome, 'etc/shared/web', 'a file again')
      await cluster.allTheSame()
      rmSync(join(cluster.masterHome, 'etc/shared/web'))
      await cluster.allTheSame()
      expect(readdirSync(join(cluster.home(worker), 'etc/shared'))).toEqual([])
    }))
})

describe('cluster_control', () => {
  it('prints the same on a worker as on the master, and says so when the daemon is down', () =>
    withCluster([master, worker, secondWorker], async (cluster) => {
      writeBelow(cluster.masterHome, 'etc/rules/local.xml', 'of the master')
      await cluster.startAll()
      await cluster.allTheSame()
      await failedRows(() => cluster.control(master, ['-f']), `The file of ${worker} is in sync.\nThe file of ${secondWorker} is in sync.`)
      for (const flags of [['-l'], ['-f', '--json'], ['-l', '-fn', worker]])
        expect(await cluster.control(worker, flags)).toEqual(await cluster.control(master, flags))
      const health = await cluster.control(secondWorker, ['-i', 'more'])
      expect(health).toMatchObject({ code: 0, err: '' })
      expect(health.out).toContain('Connected nodes (2):')
      await cluster.daemon(worker).stop()
      const down = await cluster.control(worker, ['-l'])
      expect(down).toMatchObject({ code: 1, out: '' })
      expect(down.err).toContain(`ERROR: Cluster is not running. No daemon answers on the home ${cluster.home(worker)}.`)
    }))

  it('shows which file a worker cannot write and why; once that is fixed the file comes by itself', () =>
    withCluster([master, worker], async (cluster) => {
      const blocked = join(cluster.home(worker), 'etc/rules/blocked.xml')
      mkdirSync(blocked)
      writeFileSync(join(blocked, 'mine.tmp'), 'excluded, so never touched')
      writeBelow(cluster.masterHome, 'etc/rules/blocked.xml', 'wanted')
      writeBelow(cluster.masterHome, 'etc/rules/free.xml', 'wanted too')
      await cluster.startAll()
      const files = await failedRows(() => cluster.control(master, ['-f']), 'failed')
      expect(files).toMatch(/worker-1 +etc\/rules\/blocked\.xml +failed +.*EISDIR: a directory/)
      expect(readFileSync(join(cluster.home(worker), 'etc/rules/free.xml'), 'utf8')).toBe('wanted too')
      expect(readdirSync(blocked)).toEqual(['mine.tmp'])
      const { pid } = cluster.daemon(worker)
      rmSync(blocked, { recursive: true })
      await cluster.allTheSame()
      await failedRows(() => cluster.control(master, ['-f']), `All 2 files of ${worker} are in sync.`)
      expect(cluster.daemon(worker)).toMatchObject({ pid, isRunning: true })
    }))
})
