/** Starts of the programs as they are installed, and what an idle daemon needs. */
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { builtProgram } from '../builtProgram.js'
import { atMost, type Row } from '../row.js'
import { median } from '../statistics.js'
import { systemMs } from '../systemClock.js'
import { makeHome } from '../trees.js'
import { freePort, sleep, type Workshop } from '../workshop.js'

const starts = 5
/** The first scan and the first rounds are over by then, and the thread for content is ended. */
const settleMs = 20_000

const makeNode = (home: string, type: 'master' | 'worker', port: number): string => {
  writeFileSync(
    join(makeHome(home), 'etc/ossec.conf'),
    `<ossec_config><cluster><name>wazuh</name><node_name>${type}</node_name><node_type>${type}</node_type>` +
      `<key>benchmarkbenchmarkbenchmarkbench</key><port>${port}</port><bind_addr>127.0.0.1</bind_addr>` +
      '<nodes><node>127.0.0.1</node></nodes><hidden>no</hidden><disabled>no</disabled></cluster></ossec_config>\n',
    { mode: 0o640 },
  )
  return home
}

/** Resolves once it logs the line, with the milliseconds until then. */
const startDaemon = async (workshop: Workshop, home: string, line: string) => {
  const startMs = systemMs()
  const daemon = spawn(builtProgram('src/cli/wazuh-clusterd.js'), ['-f', '-r', '--home', home], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => daemon.once('exit', () => resolve()))
  const stop = async (): Promise<void> => {
    daemon.kill('SIGTERM')
    await ended
  }
  workshop.atEnd(stop)
  await new Promise<void>((resolve, reject) => {
    createInterface({ input: daemon.stdout }).on('line', (said) => said.includes(line) && resolve())
    void ended.then(() => reject(new Error(`The daemon ended before it logged '${line}'`)))
  })
  return { pid: daemon.pid ?? 0, tookMs: systemMs() - startMs, stop }
}

const proportionalMB = (pid: number): number =>
  (Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]) * 1024) / 1e6

export const startUp: Row = {
  name: 'starts, and idle daemons',
  target: 'cluster_control -l ≤ 100 ms, daemon ≤ 200 ms, ≤ 90 MB each',
  run: async (workshop) => {
    const port = await freePort()
    const masterHome = makeNode(workshop.place('master'), 'master', port)
    const workerHome = makeNode(workshop.place('worker'), 'worker', port)
    const daemonMs: number[] = []
    for (let start = 0; start < starts; start++) {
      const { stop, tookMs } = await startDaemon(workshop, masterHome, 'Serving on')
      daemonMs.push(tookMs)
      await stop()
    }
    const master = await startDaemon(workshop, masterHome, 'Serving on')
    const worker = await startDaemon(workshop, workerHome, 'Successfully connected')
    await sleep(settleMs)
    const controlMs = Array.from({ length: starts }, () => {
      const startMs = systemMs()
      const { status, stderr } = spawnSync(builtProgram('src/cli/cluster_control.js'), ['--home', masterHome, '-l'], { encoding: 'utf8' })
      if (status !== 0) throw new Error(`cluster_control ended with ${status}: ${stderr}`)
      return systemMs() - startMs
    })
    const note = `median of ${starts}`
    return [
      { what: 'cluster_control -l', measured: median(controlMs), unit: 'ms', ...atMost(100), note },
      { what: 'daemon until it listens', measured: median(daemonMs), unit: 'ms', ...atMost(200), note },
      { what: 'idle master', measured: proportionalMB(master.pid), unit: 'MB', ...atMost(90), wazuh: '77 to 209 MB', note: 'PSS' },
      { what: 'idle worker', measured: proportionalMB(worker.pid), unit: 'MB', ...atMost(90), wazuh: '86 MB', note: 'PSS' },
    ]
  },
}
