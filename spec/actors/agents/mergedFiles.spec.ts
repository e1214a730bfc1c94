/** Merged files over a simulated disk and table: which changes lead to a build, what a build gets, and what is logged of it. */
import { describe, expect, it } from 'vitest'
import { mergedFiles } from '../../../src/actors/agents/mergedFiles.js'
import { LocalTree } from '../../../src/actors/files/localTree.js'
import { startHosted } from '../../../src/actors/kit/host.js'
import { ClusterError } from '../../../src/base/errors.js'
import type { MergedOutcome } from '../../../src/ports/agents.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { localAgentsOver } from '../../support/agents/localAgentsOver.js'
import { ScriptedFiles } from '../../support/files/scriptedFiles.js'
import { synced } from '../../support/files/treeArbitraries.js'
import { recordingLog } from '../../support/recordingLog.js'

const intervalMs = 10_000
const { signal } = new AbortController()
const nothing: MergedOutcome = { written: [], removed: [], problems: [] }

const start = async () => {
  const clock = new VirtualClock()
  const { agents, keepTable, writeKeys } = localAgentsOver(clock, 'master')
  writeKeys([1])
  const keeper = await keepTable()
  const files = new ScriptedFiles(clock)
  const tree = new LocalTree(files, synced, clock)
  const hints: string[] = []
  tree.onHint((paths) => hints.push(...paths))
  const scan = async (): Promise<void> => {
    const scanning = tree.scan(undefined, signal)
    await clock.advance(100)
    await scanning
  }
  await scan()
  /** What each build was given, and what the next ones answer. */
  const builds: (readonly string[] | undefined)[] = []
  const answers: (MergedOutcome | ClusterError)[] = []
  agents.files.buildMerged = async (_, changed) => {
    builds.push(changed)
    const answer = answers.shift() ?? nothing
    if (answer instanceof ClusterError) throw answer
    return answer
  }
  const log = recordingLog()
  const thread = startHosted(mergedFiles({ agents, tree, clock, intervalMs, log }), { clock, onEnd: () => undefined })
  return {
    agents,
    answers,
    builds,
    clock,
    hints,
    log,
    /** A file of this content appears, and the scan finds it. */
    edit: async (path: string, content: string) => {
      files.disk.set(path, { path, digest: content.padEnd(64, '0'), size: 1, mode: 0o660 })
      await scan()
    },
    stop: async () => {
      thread.stop()
      keeper.stop()
      await agents.close()
      await clock.settle()
      expect(thread.timers + clock.pending).toBe(0)
    },
  }
}

describe('merged files', () => {
  it('are built from everything at first, then at each interval from what changed', async () => {
    const { builds, clock, stop } = await start()
    await clock.advance(2 * intervalMs + 1_000)
    expect(builds).toEqual([undefined, [], []])
    await stop()
  })

  it('are built soon after a file of a group changed, for that file only', async () => {
    const { builds, clock, edit, stop } = await start()
    await clock.advance(1_000)
    await edit('etc/shared/default/agent.conf', 'a')
    await clock.advance(1_000)
    expect(builds).toEqual([undefined, ['etc/shared/default/agent.conf']])
    await stop()
  })

  it('are not built for a file that no group has', async () => {
    const { builds, clock, edit, stop } = await start()
    await clock.advance(1_000)
    await edit('etc/rules/local_rules.xml', 'a')
    await clock.advance(1_000)
    expect(builds).toEqual([undefined])
    await stop()
  })

  it('are built once for several changes of groups', async () => {
    const { agents, builds, clock, stop } = await start()
    await clock.advance(1_000)
    for (let times = 0; times < 3; times++) agents.groups.changes.emit()
    await clock.advance(1_000)
    expect(builds).toHaveLength(2)
    await stop()
  })

  it('that were written or removed are logged, and hinted to the tree', async () => {
    const { answers, clock, hints, log, stop } = await start()
    answers.push({ written: ['etc/shared/default/merged.mg'], removed: ['var/multigroups/ab/merged.mg'], problems: [] })
    await clock.advance(1_000)
    expect(hints).toEqual(['etc/shared/default/merged.mg', 'var/multigroups/ab/merged.mg'])
    expect(log.lines).toEqual([
      "info [-] [-] Built 'etc/shared/default/merged.mg'.",
      "info [-] [-] Removed 'var/multigroups/ab/merged.mg': no agent has these groups.",
    ])
    await stop()
  })

  it('have each problem logged once while it lasts, and again when it is back', async () => {
    const { answers, clock, log, stop } = await start()
    const broken = { ...nothing, problems: ['Something is in the way.'] }
    answers.push(broken, broken, nothing, broken)
    await clock.advance(4 * intervalMs)
    expect(log.lines).toEqual(Array(2).fill('warning [-] [-] Something is in the way.'))
    await stop()
  })

  it('are built from everything after a build that failed, an interval later', async () => {
    const { answers, builds, clock, log, stop } = await start()
    answers.push(nothing, new ClusterError('diskFull'))
    await clock.advance(2 * intervalMs + 1_000)
    expect(builds).toEqual([undefined, [], undefined])
    expect(log.lines).toEqual(['error [-] [-] The merged files could not be built: The disk is full. Retrying.'])
    await stop()
  })
})
