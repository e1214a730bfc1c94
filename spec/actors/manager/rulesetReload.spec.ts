/** When a worker has its manager load the rules again, what it says of it, and to whom. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { startHosted } from '../../../src/actors/kit/host.js'
import {
  RulesetChanges,
  rulesetCapability,
  rulesetFollowInput,
  rulesetGatherMs,
  rulesetReload,
} from '../../../src/actors/manager/rulesetReload.js'
import { limits } from '../../../src/base/limits.js'
import { WorkerState } from '../../../src/domain/cluster/workerState.js'
import { SimulatedManagerDaemons } from '../../../src/simulation/manager/simulatedManagerDaemons.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { recordingLog } from '../../support/recordingLog.js'
import { ScriptedLink } from '../../support/scriptedLink.js'

const start = (capabilities: readonly string[] = [rulesetCapability]) => {
  const clock = new VirtualClock()
  const daemons = new SimulatedManagerDaemons()
  const changes = new RulesetChanges()
  const log = recordingLog()
  const link = new ScriptedLink('master', () => undefined, capabilities)
  let unsupported = 0
  const onUnsupported = (): void => {
    unsupported += 1
  }
  const logic = rulesetReload({ changes, clock, daemons: daemons.port(clock), log, master: () => link, onUnsupported })
  const thread = startHosted(logic, { clock, onEnd: () => undefined })
  return { changes, clock, daemons, link, log, thread, unsupported: () => unsupported }
}

const settleMs = 2 * rulesetGatherMs

describe('the rules of a worker', () => {
  it('are loaded once or twice for all that is applied within a second, and after the last of it', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 10 }), async (waitsMs) => {
        const { changes, clock, daemons, thread } = start()
        let sinceLast = 0
        for (const waitMs of waitsMs) {
          await clock.advance(waitMs)
          sinceLast = daemons.reloads
          changes.applied(true)
        }
        await clock.advance(settleMs)
        expect(daemons.reloads).toBeGreaterThan(sinceLast)
        expect(daemons.reloads).toBeLessThanOrEqual(2)
        thread.stop()
      }),
      { numRuns: 50 },
    ))

  it('are left alone by plans without rules, and by checks', async () => {
    const { changes, clock, daemons } = start()
    changes.applied(false)
    changes.checked(true)
    changes.checked(false)
    await clock.advance(settleMs)
    expect(daemons.reloads).toBe(0)
  })

  it('are loaded when the API asked, after the next check without a difference or the next plan', async () => {
    for (const [before, then] of [
      [(): void => undefined, (changes: RulesetChanges): void => changes.checked(true)],
      [(changes: RulesetChanges): void => changes.checked(false), (changes: RulesetChanges): void => changes.applied(false)],
    ] as const) {
      const { changes, clock, daemons, log } = start()
      changes.askAfterCheck()
      before(changes)
      await clock.advance(settleMs)
      expect(daemons.reloads).toBe(0)
      then(changes)
      then(changes)
      await clock.advance(settleMs)
      expect(daemons.reloads).toBe(1)
      expect(log.lines).toEqual([
        'info [-] [-] Ruleset reload triggered by cluster integrity check: reload message sent successfully.',
        'info [-] [-] wazuh-analysisd loaded the rules again.',
      ])
    }
  })

  it('that have mistakes are said so in the log and to the master, to a new one again', async () => {
    const { changes, clock, daemons, link, log } = start()
    daemons.reload = { isLoaded: true, messages: ['Rule 1 is old'] }
    changes.applied(true)
    await clock.advance(settleMs)
    daemons.reload = { isLoaded: false, messages: ['Rule 2 is wrong'] }
    changes.applied(true)
    await clock.advance(settleMs)
    expect(log.lines).toEqual([
      'info [-] [-] wazuh-analysisd loaded the rules again: 1 warning.',
      'warning [-] [-] wazuh-analysisd: Rule 1 is old',
      'error [-] [-] wazuh-analysisd could not load the rules and keeps the previous ones:',
      'error [-] [-] wazuh-analysisd: Rule 2 is wrong',
    ])
    const said = link.notices
    expect(said).toMatchObject([
      { isLoaded: true, messages: ['Rule 1 is old'] },
      { isLoaded: false, messages: ['Rule 2 is wrong'] },
    ])
    const next = new ScriptedLink('master', () => undefined, [rulesetCapability])
    changes.announce(next)
    expect(next.notices).toEqual(said.slice(1))
  })

  it('are not spoken of to a master of an earlier build', async () => {
    const { changes, clock, link } = start([])
    changes.applied(true)
    await clock.advance(settleMs)
    changes.announce(link)
    expect(link.notices).toEqual([])
  })

  it('cannot be loaded while analysisd is down: one line, and the next change tries again', async () => {
    const { changes, clock, daemons, link, log } = start()
    daemons.isDown = true
    for (const _ of [1, 2]) {
      changes.applied(true)
      await clock.advance(settleMs)
    }
    const says = 'wazuh-analysisd could not be asked to load the rules again: The daemon does not run.'
    expect(log.lines).toEqual([`error [-] [-] ${says} Trying again at the next change.`])
    expect(link.notices.at(-1)).toMatchObject({ isLoaded: false, messages: [says] })
    daemons.isDown = false
    changes.applied(true)
    await clock.advance(settleMs)
    expect([daemons.reloads, link.notices.at(-1)]).toMatchObject([1, { isLoaded: true, messages: [] }])
  })

  it('are left to the reload command where the manager cannot load them, once for all that came together', async () => {
    const { changes, clock, daemons, link, log, unsupported } = start()
    daemons.reload = undefined
    for (const _ of [1, 2, 3]) changes.applied(true)
    await clock.advance(settleMs)
    expect([unsupported(), link.notices, log.lines]).toEqual([1, [], []])
  })
})

it('a master keeps what a worker said of its rules last', () => {
  const link = new ScriptedLink('worker1', () => undefined)
  const state = new WorkerState()
  const stop = rulesetFollowInput(link, state).alongside?.()
  link.receiveNotice('ruleset.reloaded', { atMs: 1, isLoaded: false, messages: ['one'] })
  link.receiveNotice('ruleset.reloaded', { atMs: 2, isLoaded: true, messages: [] })
  expect(state.ruleset).toEqual({ atMs: 2, isLoaded: true, messages: [] })
  // Nothing that a lying one says makes a line of an answer that does not fit into a chunk.
  for (const character of ['\u0000', '"', '\u65e5', '\ud800']) {
    const messages = Array.from({ length: limits.rulesetMessagesMax }, () => character.repeat(limits.rulesetMessageCharsMax))
    link.receiveNotice('ruleset.reloaded', { atMs: 3, isLoaded: false, messages })
    expect(state.ruleset?.messages.length).toBeGreaterThan(10)
    expect(Buffer.byteLength(JSON.stringify(state.ruleset))).toBeLessThan(limits.streamChunkBytesMax / 4)
  }
  stop?.()
})
