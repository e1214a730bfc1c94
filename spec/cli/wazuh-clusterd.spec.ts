import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, watch, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { compileShell } from '../programs/clusterd/compiledShell.js'

const conf = `<ossec_config><cluster><key>${'k'.repeat(32)}</key><nodes><node>m</node></nodes><disabled>no</disabled></cluster></ossec_config>`

let shell = { directory: '', program: '' }
let home = ''
const running = new Set<number>()

beforeAll(() => {
  shell = compileShell()
})
afterAll(() => rmSync(shell.directory, { recursive: true, force: true }))
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'muster-home-'))
  mkdirSync(join(home, 'etc'))
  mkdirSync(join(home, 'var/run'), { recursive: true })
  writeFileSync(join(home, 'etc/ossec.conf'), conf, { mode: 0o640 })
})
afterEach(() => {
  for (const pid of running) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended, as expected.
    }
  }
  running.clear()
  rmSync(home, { recursive: true, force: true })
})

const start = (args: readonly string[], inside = ''): ChildProcess => {
  const child = spawn(process.execPath, [shell.program, '--home', home, '-r', ...args], {
    env: { ...process.env, INSIDE: inside },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  if (child.pid !== undefined) running.add(child.pid)
  return child
}

const ended = async (child: ChildProcess): Promise<{ code: unknown; out: string; err: string }> => {
  let out = ''
  let err = ''
  child.stdout?.on('data', (chunk) => {
    out += String(chunk)
  })
  child.stderr?.on('data', (chunk) => {
    err += String(chunk)
  })
  const [code] = await once(child, 'close')
  return { code, out, err }
}

const runFiles = (): string[] => readdirSync(join(home, 'var/run')).sort()
const pidFiles = (): string[] => runFiles().filter((name) => name.endsWith('.pid'))
/** The directory of our own files, unless Wazuh has a place for them. */
const lockFiles = (): string[] => readdirSync(join(home, 'queue/muster'))
const logText = (): string => readFileSync(join(home, 'logs/cluster.log'), 'utf8')

/** Resolves when the directory of the PID files is empty. */
const pidFileGone = (): Promise<void> =>
  new Promise((resolve) => {
    const check = (): void => {
      if (runFiles().length > 0) return
      watcher.close()
      resolve()
    }
    const watcher = watch(join(home, 'var/run'), check)
    check()
  })

const ready = async (child: ChildProcess): Promise<void> => {
  await once(child.stdout ?? child, 'data')
}

describe('the process of wazuh-clusterd', () => {
  it('goes to the background, names its PID and log, refuses a second start, and stops without a trace', async () => {
    const first = await ended(start([]))
    const [pidFile = ''] = pidFiles()
    const pid = Number(readFileSync(join(home, 'var/run', pidFile), 'utf8'))
    running.add(pid)
    const out = `wazuh-clusterd runs in the background (PID ${pid}). Its log is ${join(home, 'logs/cluster.log')}.\n`
    expect(first).toEqual({ code: 0, out, err: '' })
    expect(pidFile).toBe(`wazuh-clusterd-${pid}.pid`)
    expect(runFiles()).toEqual([pidFile])
    expect(lockFiles()).toEqual(['wazuh-clusterd.lock'])
    for (const args of [[], ['-f']]) {
      const second = await ended(start(args))
      expect(second.code).toBe(1)
      expect(second.err).toContain(`Another wazuh-clusterd (PID ${pid}) runs on ${home}`)
    }
    expect(pidFiles()).toEqual([pidFile])
    const gone = pidFileGone()
    process.kill(pid, 'SIGTERM')
    await gone
    expect(logText()).toContain('Stopping: received SIGTERM.')
  })

  it('lets exactly one of several simultaneous starts through', async () => {
    const starts = Array.from({ length: 4 }, () => start(['-f']))
    const codes: unknown[] = []
    const allEnded = starts.map(async (child) => {
      codes.push((await ended(child)).code)
      return child
    })
    await Promise.race([
      Promise.all(allEnded.slice(0, 3)),
      Promise.all(allEnded.slice(1)),
      Promise.all([allEnded[0], allEnded[2], allEnded[3]]),
      Promise.all([allEnded[0], allEnded[1], allEnded[3]]),
    ])
    expect(codes).toEqual([1, 1, 1])
    expect(pidFiles()).toHaveLength(1)
    for (const child of starts) child.kill('SIGINT')
    await Promise.all(allEnded)
    expect(codes).toEqual([1, 1, 1, 0])
    expect([...runFiles(), ...lockFiles()]).toEqual([])
  })

  it('cleans up after a killed one, and never mistakes another process for it', async () => {
    const killed = start(['-f'])
    await ready(killed)
    killed.kill('SIGKILL')
    await once(killed, 'close')
    expect(pidFiles()).toHaveLength(1)
    writeFileSync(join(home, `var/run/wazuh-clusterd-${process.pid}.pid`), `${process.pid}\n`)
    const next = start(['-f'])
    await ready(next)
    expect(pidFiles()).toEqual([`wazuh-clusterd-${next.pid}.pid`])
    const closed = ended(next)
    next.kill('SIGTERM')
    expect(await closed).toMatchObject({ code: 0, err: '' })
    expect(runFiles()).toEqual([])
  })

  it.each([
    ['refuses', 'wazuh-clusterd: Error 3199 - Internal error: no\\nport\n'],
    ['dies', 'The daemon ended before it was ready (exit code 7)'],
  ])('shows on stderr why one in the background %s to start, and exits 1', async (inside, says) => {
    const { code, err } = await ended(start([], inside))
    expect(code).toBe(1)
    expect(err).toContain(says)
    expect(err).not.toContain('    at ')
  })

  it.each([
    ['logs/cluster.log', []],
    ['logs/cluster.log', ['-f']],
    ['queue/muster/agents.db', []],
    ['queue/muster/agents.db', ['-f']],
    ['queue/muster/agents.db-wal', []],
  ])('exits 1 and names the file when %s cannot be written, with %j', async (file, args) => {
    mkdirSync(join(home, file), { recursive: true })
    const { code, err } = await ended(start(args))
    expect({ code, lines: err.split('\n') }).toEqual({
      code: 1,
      lines: [expect.stringContaining(`${join(home, file)} cannot be written: it is a directory; move it out of the way`), ''],
    })
    if (file !== 'logs/cluster.log') expect(logText()).toContain(`ERROR: [Cluster] [Main] Error 3124 - ${join(home, file)}`)
    expect(runFiles()).toEqual([])
  })

  it.each([[[]], [['-f']]])('exits 1 and does not touch a database of another program in the place of the table, with %j', async (args) => {
    const path = join(home, 'queue/muster/agents.db')
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, Buffer.concat([Buffer.from('SQLite format 3\0'), Buffer.alloc(4_080)]))
    const before = statSync(path, { bigint: true })
    const { code, err } = await ended(start(args))
    expect({ code, lines: err.split('\n') }).toEqual({
      code: 1,
      lines: [expect.stringContaining(`${path} belongs to another program and is left as it is: move it out of the way`), ''],
    })
    expect(logText()).toContain(`ERROR: [Cluster] [Main] Error 3143 - ${path}`)
    expect(statSync(path, { bigint: true })).toMatchObject({ ctimeNs: before.ctimeNs, ino: before.ino })
    expect(readdirSync(dirname(path))).toEqual(['agents.db'])
  })

  it('ends with 1 and one sentence, the stack only at -dd, at an uncaught error', async () => {
    const plain = await ended(start(['-f'], 'crashes'))
    expect(plain).toMatchObject({ code: 1, err: 'wazuh-clusterd: Error 3199 - Internal error: a bug\n' })
    expect(logText()).not.toContain('    at ')
    expect((await ended(start(['-f', '-dd'], 'crashes'))).code).toBe(1)
    expect(logText()).toMatch(/DEBUG2: .*a bug\\n {4}at /)
    expect(runFiles()).toEqual([])
  })
})
