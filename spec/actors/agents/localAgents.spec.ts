/** Local agents over a simulated disk and table: when client.keys is looked at, and when silent agents are looked for. */
import { describe, expect, it } from 'vitest'
import { localAgents } from '../../../src/actors/agents/localAgents.js'
import { LocalTree } from '../../../src/actors/files/localTree.js'
import { startHosted } from '../../../src/actors/kit/host.js'
import { ClusterError } from '../../../src/base/errors.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { localAgentsOver } from '../../support/localAgentsOver.js'
import { recordingLog } from '../../support/recordingLog.js'
import { ScriptedFiles } from '../../support/scriptedFiles.js'
import { synced } from '../../support/treeArbitraries.js'

const checkIntervalMs = 8_000

const setUp = () => {
  const clock = new VirtualClock()
  const { agents, table, writeKeys } = localAgentsOver(clock, 'master')
  writeKeys([1, 2])
  const looksMs: number[] = []
  const searchesMs: number[] = []
  const failures: ClusterError[] = []
  const { look, silence } = { look: agents.check.bind(agents), silence: agents.silence.bind(agents) }
  agents.check = async (signal) => {
    looksMs.push(clock.monotonicMs())
    const failure = failures.shift()
    if (failure) throw failure
    return look(signal)
  }
  agents.silence = async () => {
    searchesMs.push(clock.monotonicMs())
    return silence()
  }
  const tree = new LocalTree(new ScriptedFiles(clock), synced, clock)
  const log = recordingLog()
  const thread = startHosted(localAgents({ agents, tree, clock, checkIntervalMs: checkIntervalMs, log }), { clock, onEnd: () => undefined })
  const stop = async (): Promise<void> => {
    thread.stop()
    await agents.close()
    await clock.settle()
    expect(thread.timers + clock.pending).toBe(0)
  }
  return { clock, failures, log, looksMs, searchesMs, stop, table }
}

const gapsOf = (timesMs: readonly number[]): number[] => timesMs.slice(1).map((atMs, index) => atMs - (timesMs[index] ?? 0))

describe('local agents', () => {
  it('looks at client.keys at its interval, and for silent agents at theirs: neither disturbs the other', async () => {
    const { clock, looksMs, searchesMs, stop } = setUp()
    await clock.advance(300_000)
    // The first looks come sooner: the file is not believed yet.
    const gaps = gapsOf(looksMs.filter((atMs) => atMs > 60_000))
    expect(gaps.length).toBeGreaterThan(25)
    expect(gaps.filter((gapMs) => gapMs < checkIntervalMs || gapMs > checkIntervalMs + 5)).toEqual([])
    expect(searchesMs.length).toBe(25)
    await stop()
  })

  it('looks again an interval after a look that failed', async () => {
    const { clock, failures, looksMs, stop } = setUp()
    await clock.advance(40_000)
    const looks = looksMs.length
    failures.push(new ClusterError('tableFailed'))
    await clock.advance(2 * checkIntervalMs)
    expect(looksMs.length - looks).toBe(2)
    await stop()
  })

  it('opens a table that is damaged again and again once an interval, and says each time why', async () => {
    const { clock, log, stop, table } = setUp()
    const opensMs: number[] = []
    const open = table.open.bind(table)
    table.open = () => {
      opensMs.push(clock.monotonicMs())
      const opened = open()
      table.damage(`table ${opensMs.length + 1}`)
      return opened
    }
    await clock.advance(5)
    table.damage('table 1')
    await clock.advance(12 * checkIntervalMs)
    expect(opensMs.length).toBeGreaterThan(5)
    expect(gapsOf(opensMs).every((gapMs) => gapMs >= checkIntervalMs)).toBe(true)
    expect(log.lines.filter((line) => line.includes('is damaged')).length).toBeGreaterThanOrEqual(opensMs.length - 1)
    await stop()
  })
})
