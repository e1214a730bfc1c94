/** The check that runs all day without finding anything: bytes and the master's CPU. */
import { startPair } from '../measures/fiftyThousandFiles.js'
import { atMost, type Row } from '../row.js'
import { sleep } from '../workshop.js'

/** The shortest that a node allows. */
const restMs = 10
/** Until the code is compiled. */
const settleMs = 3_000
const measuredMs = 10_000
const hourMs = 3_600_000

/** Nothing but checks: they follow each other closely, with no scans or keep-alives in between. */
const checksOnly = { syncIntegrityMs: restMs, recalculateIntegrityMs: hourMs, keepAliveMs: hourMs, checkLastKeepAliveMs: hourMs }

export const checkWithoutChange: Row = {
  name: 'check without change, 50 000 files',
  target: '≤ 200 bytes each way, ≤ 0.2 ms of master CPU',
  run: async (workshop) => {
    const { master, worker } = await startPair(workshop, checksOnly)
    await sleep(settleMs)
    const before = { link: await worker.call('counters', 'w1'), cpu: await master.call('usage', { collect: false }) }
    await sleep(measuredMs)
    const after = { link: await worker.call('counters', 'w1'), cpu: await master.call('usage', { collect: false }) }
    const checks = after.link.framesSent - before.link.framesSent
    const sent = (after.link.bytesSent - before.link.bytesSent) / checks
    const received = (after.link.bytesReceived - before.link.bytesReceived) / checks
    return [
      { what: 'worker to master', measured: sent, unit: 'bytes', ...atMost(200), note: `${checks} checks, frames with their seals` },
      { what: 'master to worker', measured: received, unit: 'bytes', ...atMost(200) },
      {
        what: 'master CPU',
        measured: (after.cpu.cpuMs - before.cpu.cpuMs) / checks,
        unit: 'ms',
        ...atMost(0.2),
        note: 'all threads of the process, after a warm-up: the first few hundred checks of a new process cost about twice as much',
      },
    ]
  },
}
