/**
 * `npm run soak -- --minutes 60`: three real daemons under random edits on all of them, with the master restarted now and
 * then and every node killed sometimes. From time to time the edits pause: then all trees must become identical, and the
 * memory of each daemon is noted. Ends with exit code 1 when trees differ or memory keeps growing.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { counted } from '../src/base/counted.js'
import { defaultSyncedItems } from '../src/domain/files/syncedItems.js'
import { createNodeDisk } from '../src/platform/machine/nodeDisk.js'
import { toolOptions } from '../src/programs/kit/toolOptions.js'
import { expectedTree, treeDifferences } from '../src/simulation/rules/expectedTree.js'
import { SeededRandom } from '../src/simulation/world/seededRandom.js'
import { builtProgram } from './builtProgram.js'
import { type SoakOptions, soakCommand } from './toolCommands.js'
import { freePort, sleep } from './workshop.js'

const flags = toolOptions<SoakOptions>(soakCommand())
const program = flags.program ?? builtProgram('src/cli/wazuh-clusterd.js')
const runMs = flags.minutes * 60_000
const random = new SeededRandom(flags.seed)
const quietEveryMs = 150_000
const quietMsMax = 60_000
const disk = createNodeDisk()
const names = ['master', 'worker1', 'worker2'] as const
type Name = (typeof names)[number]
const base = mkdtempSync(join(tmpdir(), 'muster-soak-'))
const homeOf = (name: Name): string => join(base, name)
const daemons = new Map<Name, ChildProcess>()
const port = await freePort()

const prepare = (name: Name): void => {
  const type = name === 'master' ? 'master' : 'worker'
  for (const { dir } of defaultSyncedItems.items) mkdirSync(join(homeOf(name), dir), { recursive: true })
  writeFileSync(
    join(homeOf(name), 'etc/ossec.conf'),
    `<ossec_config><cluster><node_name>${name}</node_name><node_type>${type}</node_type><key>${'k'.repeat(32)}</key><port>${port}</port>` +
      '<bind_addr>127.0.0.1</bind_addr><nodes><node>127.0.0.1</node></nodes><disabled>no</disabled></cluster></ossec_config>',
    { mode: 0o640 },
  )
}

const start = (name: Name): void => {
  daemons.set(name, spawn(program, ['--home', homeOf(name), '-f', '-r'], { stdio: 'ignore' }))
}

const stop = async (name: Name, signal: NodeJS.Signals): Promise<void> => {
  const daemon = daemons.get(name)
  if (!daemon || daemon.exitCode !== null || daemon.signalCode !== null) throw new Error(`${name} is not running any more`)
  const exited = once(daemon, 'exit')
  daemon.kill(signal)
  await exited
}

const memoryOf = (name: Name): number => {
  const status = readFileSync(`/proc/${daemons.get(name)?.pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024
}

const dirs = [
  'etc/rules',
  'etc/decoders/deep/er',
  'etc/lists',
  'etc/shared/default',
  'etc/shared/group one',
  'etc/sca',
  'var/multigroups/abc',
]
const pathOf = (): string => {
  const dir = random.pick(dirs)
  return join(dir, dir.startsWith('var') ? 'merged.mg' : `file "${random.integer(1, 40)}".xml`)
}

/** Without its directory the master would not report an item's files, and workers would keep theirs. */
const itemDirs = new Set(names.flatMap((name) => defaultSyncedItems.items.map(({ dir }) => join(homeOf(name), dir))))

/** Text, as what is not text stays on the master (see lastingFile.ts). */
const keysOf = (): string =>
  Array.from(
    { length: random.integer(0, random.pick([3, 100, 10_000])) },
    (_, index) => `${String(index + 1).padStart(3, '0')} host-${index + 1} any ${Buffer.from(random.bytes(32)).toString('hex')}\n`,
  ).join('')

/** One edit by an operator. It is skipped if the file system does not allow it at the moment. */
const act = (name: Name): void => {
  const path = join(homeOf(name), random.chance(0.1) ? 'etc/client.keys' : pathOf())
  const draw = random.fraction()
  try {
    if (draw < 0.55) {
      mkdirSync(dirname(path), { recursive: true })
      const content = () => random.bytes(random.integer(0, random.pick([100, 10_000, 2_000_000])))
      writeFileSync(path, path.endsWith('client.keys') ? keysOf() : content())
    } else if (draw < 0.7) unlinkSync(path)
    else if (draw < 0.78) {
      // Only files: a directory moved to where merged.mg belongs would hold a foreign file, and would stay, as it should.
      if (lstatSync(path).isFile()) renameSync(path, join(homeOf(name), pathOf()))
    } else if (draw < 0.84) chmodSync(path, random.pick([0o600, 0o640, 0o777]))
    else if (draw < 0.88 && !itemDirs.has(dirname(path))) rmSync(dirname(path), { recursive: true })
    else if (draw < 0.92 && !/(merged.mg|client.keys)$/.test(path)) {
      // A foreign file inside would be left alone, as it should, and keep the directory in its place.
      unlinkSync(path)
      mkdirSync(path)
      writeFileSync(join(path, 'inside.xml'), 'in a directory that was a file')
    } else if (draw < 0.96 && name !== 'master') {
      unlinkSync(path)
      symlinkSync('/etc/passwd', path)
    } else writeFileSync(`${path}.tmp`, 'excluded')
  } catch (thrown) {
    if (!(thrown instanceof Error) || !('code' in thrown)) throw thrown
  }
}

const differences = (): string[] => {
  const tree = (name: Name) => expectedTree(disk, homeOf(name), defaultSyncedItems, name === 'master' ? 'master' : 'worker')
  const master = tree('master')
  return names.slice(1).flatMap((name) => treeDifferences(master, tree(name)).map((says) => `${name}: ${says}`))
}

/** What an operator does about a client.keys without agents: until then the workers keep their copies (lastingFile.ts). */
const restoreKeys = (): void => {
  const path = join(homeOf('master'), 'etc/client.keys')
  if (existsSync(path) && lstatSync(path).isFile() && lstatSync(path).size > 0) return
  rmSync(path, { recursive: true, force: true })
  writeFileSync(path, `001 host-1 any ${'0'.repeat(64)}\n`)
}

const becomeSame = async (): Promise<number> => {
  restoreKeys()
  const startMs = performance.now()
  for (;;) {
    await sleep(250)
    const found = differences()
    const tookMs = performance.now() - startMs
    if (found.length === 0) return tookMs
    if (tookMs > quietMsMax)
      throw new Error(`The trees did not become the same within ${quietMsMax / 1000} s: ${found.slice(0, 5).join('; ')}`)
  }
}

const memory: Record<Name, number[]> = { master: [], worker1: [], worker2: [] }
let acts = 0
let restarts = 0
let kills = 0
let failure: string | undefined

const noteMemory = (): string => {
  for (const name of names) memory[name].push(memoryOf(name))
  return names.map((name) => `${name} ${memory[name].at(-1)?.toFixed(0)} MB`).join(', ')
}

const run = async (): Promise<void> => {
  for (const name of names) prepare(name)
  for (let i = 0; i < 200; i++) act('master')
  for (const name of names) start(name)
  const startMs = performance.now()
  let quietAtMs = startMs + 30_000
  let restartAtMs = startMs + 90_000
  while (performance.now() - startMs < runMs) {
    await sleep(random.integer(10, 400))
    act(random.pick(['master', 'master', 'worker1', 'worker2']))
    acts += 1
    if (performance.now() >= restartAtMs) {
      restartAtMs = performance.now() + random.integer(60_000, 240_000)
      const name = random.pick<Name>(['master', 'master', 'master', 'worker1', 'worker2'])
      const signal = random.chance(0.5) ? 'SIGKILL' : 'SIGTERM'
      await stop(name, signal)
      if (signal === 'SIGKILL') kills += 1
      else restarts += 1
      start(name)
    }
    if (performance.now() >= quietAtMs) {
      const tookMs = await becomeSame()
      quietAtMs = performance.now() + quietEveryMs
      console.log(
        `${((performance.now() - startMs) / 60_000).toFixed(1)} min: ${counted(acts, 'edit')}, ${counted(restarts, 'restart')}, ${counted(kills, 'kill')}; identical after ${tookMs.toFixed(0)} ms; ${noteMemory()}`,
      )
    }
  }
  const tookMs = await becomeSame()
  console.log(
    `Identical trees at the end, ${tookMs.toFixed(0)} ms after the last edit, ${counted(acts, 'edit')}, ${counted(restarts, 'restart')} and ${counted(kills, 'kill')}; ${noteMemory()}.`,
  )
}

try {
  await run()
} catch (thrown) {
  failure = thrown instanceof Error ? thrown.message : String(thrown)
}
for (const name of names) {
  const all = memory[name]
  const third = Math.ceil(all.length / 3)
  const mean = (some: readonly number[]): number => some.reduce((sum, value) => sum + value, 0) / Math.max(1, some.length)
  const [early, late] = [mean(all.slice(0, third)), mean(all.slice(-third))]
  console.log(
    `${name}: resident memory ${early.toFixed(0)} MB in the first third, ${late.toFixed(0)} MB in the last; all: ${all.map((value) => value.toFixed(0)).join(' ')}`,
  )
  if (all.length >= 6 && late > early * 1.5 + 20) failure ??= `The memory of ${name} keeps growing`
}
for (const name of names) await stop(name, 'SIGTERM').catch(() => undefined)
const logs = readdirSync(base).length
if (failure) console.log(`FAILED: ${failure}. The ${logs} homes and their logs are in ${base}.`)
else rmSync(base, { recursive: true, force: true })
process.exitCode = failure ? 1 : 0
