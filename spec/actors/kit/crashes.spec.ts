/** Every thread crashes on a bug of ours, also when a port reports it as `internal`, and on nothing else. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AnyActorLogic } from 'xstate'
import { agentGroupsApply } from '../../../src/actors/agents/agentGroups.js'
import { agentInfoSend } from '../../../src/actors/agents/agentInfo.js'
import { localAgentGroups, PublishedGroups } from '../../../src/actors/agents/localAgentGroups.js'
import { localAgents } from '../../../src/actors/agents/localAgents.js'
import { mergedFiles } from '../../../src/actors/agents/mergedFiles.js'
import type { LocalAgents } from '../../../src/actors/agents/nodeAgents.js'
import { integrityApply } from '../../../src/actors/files/integrity.js'
import { IntegritySync } from '../../../src/actors/files/integritySync.js'
import { localIntegrity } from '../../../src/actors/files/localIntegrity.js'
import { LocalTree } from '../../../src/actors/files/localTree.js'
import { type ChildEvent, startHosted } from '../../../src/actors/kit/host.js'
import { supervised } from '../../../src/actors/kit/supervised.js'
import { ClusterError, type ErrorCode } from '../../../src/base/errors.js'
import { defaultRestartPolicy } from '../../../src/domain/cluster/restartPolicy.js'
import type { Log } from '../../../src/ports/machine.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { localAgentsOver } from '../../support/agents/localAgentsOver.js'
import { ScriptedFiles } from '../../support/files/scriptedFiles.js'
import { synced } from '../../support/files/treeArbitraries.js'
import { recordingLog } from '../../support/recordingLog.js'
import { ScriptedLink } from '../../support/scriptedLink.js'

interface World {
  readonly clock: VirtualClock
  readonly agents: LocalAgents
  readonly tree: LocalTree
  readonly files: ScriptedFiles
  readonly log: Log
  readonly fail: () => Promise<never>
}

interface Case {
  readonly role: 'master' | 'worker'
  /** Makes the port that the thread needs fail, and returns the thread. */
  readonly thread: (world: World) => AnyActorLogic
}

const intervalMs = 1_000

const cases: Readonly<Record<string, Case>> = {
  localIntegrity: {
    role: 'master',
    thread: ({ clock, fail, files, log, tree }) => {
      files.scan = fail
      return localIntegrity({ tree, clock, intervalMs, log })
    },
  },
  localAgents: {
    role: 'master',
    thread: ({ agents, clock, fail, log, tree }) => {
      agents.files.check = fail
      return localAgents({ agents, tree, clock, checkIntervalMs: intervalMs, log })
    },
  },
  localAgentGroups: {
    role: 'master',
    thread: ({ agents, clock, fail, log }) => {
      Object.assign(agents.store, { groupsState: fail })
      return localAgentGroups({ agents, published: new PublishedGroups(), clock, intervalMs, startDelayMs: 0, log })
    },
  },
  mergedFiles: {
    role: 'master',
    thread: ({ agents, clock, fail, log, tree }) => {
      agents.files.buildMerged = fail
      return mergedFiles({ agents, tree, clock, intervalMs, log })
    },
  },
  integrity: {
    role: 'worker',
    thread: ({ clock, tree }) => {
      const sync = new IntegritySync({ tree, clock, requestTimeoutMs: intervalMs, compression: 'auto' })
      return integrityApply({ sync, tree, clock, intervalMs, onApplied: () => undefined })
    },
  },
  agentInfo: {
    role: 'worker',
    thread: ({ agents, clock, fail }) => {
      Object.assign(agents.store, { unsent: fail })
      return agentInfoSend({ agents, clock, intervalMs, answerMsMax: intervalMs })
    },
  },
  agentGroups: {
    role: 'worker',
    thread: ({ agents, clock, fail }) => {
      Object.assign(agents.store, { groupsState: fail })
      return agentGroupsApply({ agents, clock, intervalMs, keysMsMax: 40_000, mismatchesMax: 5, requestMsMax: intervalMs })
    },
  },
}

/** Runs the thread over a port that answers nothing but this error; returns the failures that supervision saw, and how it ended. */
const run = async (name: string, code: ErrorCode, forMs: number) => {
  const clock = new VirtualClock()
  const { role, thread } = cases[name] as Case
  const { agents, keepTable, writeKeys } = localAgentsOver(clock, role)
  writeKeys([1, 2])
  // The thread under test may be the one that keeps the table.
  const table = await keepTable()
  if (name === 'localAgents') table.stop()
  agents.clock.measure(clock.now(), clock.monotonicMs())
  const files = new ScriptedFiles(clock)
  const tree = new LocalTree(files, synced, clock)
  const scan = tree.scan(undefined, new AbortController().signal)
  await clock.advance(10)
  await scan
  const log = recordingLog()
  const fail = (): Promise<never> => Promise.reject(new ClusterError(code))
  const link = new ScriptedLink('master', (type) =>
    type === 'integrity.check'
      ? fail()
      : Promise.resolve({ table: 'table', version: 1, hash: 'hash', ids: '', taken: 0, unknown: 0, refused: 0, wanted: false }),
  )
  const logic = thread({ clock, agents, tree, files, log, fail })
  const ends: ChildEvent[] = []
  const child = startHosted(supervised(logic, { name, clock }), {
    clock,
    input: { input: { link, log }, log },
    onEnd: (event) => ends.push(event),
  })
  await clock.advance(forMs)
  child.stop()
  table.stop()
  await agents.close()
  await clock.settle()
  expect(child.timers + clock.pending + link.served).toBe(0)
  return { ends, crashes: log.lines.filter((line) => line.includes(`Thread '${name}'`)).length }
}

describe('a thread whose port', () => {
  it.each(Object.keys(cases))('answers `internal` each time is restarted, then given up: %s', async (name) => {
    const { crashes, ends } = await run(name, 'internal', 60_000)
    expect(ends).toMatchObject([{ type: 'child.crashed', error: { code: 'internal' } }])
    expect(crashes).toBe(defaultRestartPolicy.restartsMax + 1)
  })

  it('fails with any other error keeps trying', () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.keys(cases)),
        fc.constantFrom<ErrorCode>('tableFailed', 'fileFailed', 'requestTimeout', 'overloaded'),
        async (name, code) => {
          const { crashes, ends } = await run(name, code, 600_000)
          expect(ends).toEqual([])
          expect(crashes).toBe(0)
        },
      ),
      { numRuns: 20 },
    ))
})
