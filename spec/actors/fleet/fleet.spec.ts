/** Agents of our own over a simulated network, against a manager that a test writes by hand. */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Fleet } from '../../../src/actors/fleet/fleet.js'
import type { FleetOptions } from '../../../src/actors/fleet/fleetContext.js'
import type { KeyEntry } from '../../../src/domain/agents/keyEntry.js'
import { type AgentServer, defaultAgentEnrolment, defaultAgentServer, defaultAgentTimes } from '../../../src/domain/fleet/agentServer.js'
import { accountOf, ReceivedEvents } from '../../../src/domain/fleet/eventAccount.js'
import { parseEventLog } from '../../../src/domain/fleet/eventText.js'
import { createSimulatedNetwork } from '../../../src/simulation/network/simulatedNetwork.js'
import { SeededRandom } from '../../../src/simulation/world/seededRandom.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { ScriptedManager } from '../../support/agents/scriptedManager.js'

const entry: KeyEntry = { id: 1, name: 'fleet-1', ip: 'any', key: 'ab'.repeat(32) }
const run = 'r1'

const serverAt = (host: string, fields: Partial<AgentServer> = {}): AgentServer => ({ ...defaultAgentServer, host, ...fields })

interface Given {
  readonly servers?: readonly AgentServer[]
  readonly cipher?: 'aes' | 'blowfish'
  readonly eventsPerSecond?: number
}

const world = async ({ cipher = 'aes', eventsPerSecond = 0, servers = [serverAt('m1')] }: Given = {}) => {
  const clock = new VirtualClock()
  const random = new SeededRandom('fleet')
  const network = createSimulatedNetwork({ clock, random: random.fork('network') })
  const options: FleetOptions = {
    run,
    agents: 1,
    namePrefix: 'fleet',
    settings: { servers, times: defaultAgentTimes, enrolment: { ...defaultAgentEnrolment, isEnabled: false }, cipher },
    keys: [entry],
    version: 'v4.14.7',
    labels: [['env', 'prod']],
    eventsPerSecond,
    eventBytes: 100,
    startsPerSecond: 1_000,
    tickMs: 100,
  }
  const agents = network.network('agents')
  const fleet = new Fleet({ network: agents, clock, random }, options)
  const manager = new ScriptedManager(network.network('m1'), () => clock.monotonicMs(), entry)
  await manager.listen(1_514)
  return { clock, network, fleet, manager }
}

describe('an agent of our own', () => {
  it('starts up at once, sends its first keep-alive after the notify time, then one each notify time', async () => {
    const { clock, fleet, manager } = await world()
    fleet.start()
    await clock.advance(61_000)
    expect(manager.texts[0]?.text).toBe('#!-agent startup {"version":"v4.14.7"}')
    expect(manager.texts[1]?.text).toBe("1:wazuh-agent:ossec: Agent started: 'fleet-1->any'.")
    const beats = manager.texts.slice(2)
    expect(beats.map(({ atMs }) => Math.floor(atMs / 1_000))).toEqual([20, 40, 60])
    for (const { text } of beats)
      expect(text).toMatch(/^#!-Linux \|fleet-1 \|.* - Wazuh v4\.14\.7\n"env":prod\nx merged\.mg\n#"_agent_ip":127\.0\.0\.1\n$/)
    expect(fleet.counts()).toMatchObject({ connected: 1, keepAlives: 3, acknowledgements: 3 })
  })

  it.each(['#!-agent ack', '#!-force_reconnect', '#!-up file 00 merged.mg\n'])(
    'fails an attempt whose first answer is %s',
    async (first) => {
      const { clock, fleet, manager } = await world()
      manager.answer = () => first
      fleet.start()
      await clock.advance(9_000)
      expect(fleet.counts()).toMatchObject({ connected: 0, attemptsFailed: 1 })
      expect(manager.streams.size).toBe(1)
      await clock.advance(2_000)
      expect(manager.connections).toHaveLength(2)
      expect(manager.streams.size).toBe(1)
    },
  )

  it('dials again at once after a loss, and sends an overdue keep-alive right after the acknowledgement', async () => {
    const { clock, fleet, manager, network } = await world({ servers: [serverAt('m1', { retryIntervalMs: 15_000 })] })
    fleet.start()
    await clock.advance(15_000)
    await manager.close()
    network.reset('agents', 'm1')
    await clock.advance(10_000)
    await manager.listen(1_514)
    await clock.advance(5_100)
    expect(manager.texts.slice(-2).map(({ text }) => text.slice(0, 18))).toEqual(['#!-agent startup {', '#!-Linux |fleet-1 '])
    expect(fleet.counts()).toMatchObject({ reconnects: 1, attemptsFailed: 1 })
  })

  it('counts a manager as gone that answers nothing for 61 s', async () => {
    const { clock, fleet, manager } = await world()
    fleet.start()
    await clock.advance(1_000)
    manager.answer = (text) => (text.startsWith('#!-agent startup') ? '#!-agent ack ' : undefined)
    await clock.advance(59_900)
    expect(manager.connections).toHaveLength(1)
    await clock.advance(200)
    expect(manager.connections).toHaveLength(2)
    expect(fleet.counts().silences).toBe(1)
  })

  it('takes a configuration, reports its sums, and has none after a push that broke', async () => {
    const { clock, fleet, manager } = await world()
    fleet.start()
    await clock.advance(1_000)
    const content = Buffer.from('#default\n!11 agent.conf\n<agent\0conf!5 ar.conf\nhello')
    const merged = Buffer.from(content.toString('latin1').replace('\0', '_'))
    const sum = createHash('md5').update(merged).digest('hex')
    const push = (whole: Uint8Array): void => {
      manager.say(`#!-up file ${sum} merged.mg\n`)
      for (let at = 0; at < whole.length; at += 10) manager.say(whole.subarray(at, at + 10))
      manager.say('#!-close file ')
    }
    push(merged)
    await clock.advance(20_000)
    const configSum = createHash('md5').update('<agent_conf').digest('hex')
    expect(manager.texts.at(-1)?.text).toContain(`Wazuh v4.14.7 / ${configSum}\n"env":prod\n${sum} merged.mg\n`)
    push(merged.subarray(1))
    await clock.advance(20_000)
    expect(manager.texts.at(-1)?.text).toContain('\nx merged.mg\n')
  })

  it('answers a request, and goes elsewhere or comes back when it is asked to', async () => {
    const { clock, fleet, manager } = await world()
    fleet.start()
    await clock.advance(1_000)
    manager.say('#!-req 1f agent getconfig client')
    manager.say('#!-req 20 com nothing')
    await clock.advance(100)
    expect(manager.controls.at(-2)).toMatch(/^#!-req 1f ok \{"client":/)
    expect(manager.controls.at(-1)).toMatch(/^#!-req 20 err /)
    manager.say('#!-force_reconnect')
    await clock.advance(100)
    expect(manager.connections).toHaveLength(2)
    expect(manager.streams.size).toBe(1)
    expect(fleet.counts()).toMatchObject({ forcedReconnects: 1, movesOfOneMax: 1, connected: 1 })
  })

  it('says that it ends, and leaves no connection and no timer', async () => {
    const { clock, fleet, manager } = await world({ eventsPerSecond: 5 })
    fleet.start()
    await clock.advance(5_000)
    const stopped = fleet.stop(10_000)
    await clock.advance(1_000)
    const ranges = await stopped
    expect(manager.texts.at(-1)?.text).toBe('#!-agent shutdown ')
    expect(ranges).toMatchObject([{ agent: 1, from: 1, end: 'agreed' }])
    expect(clock.pending).toBe(0)
  })

  it('speaks Blowfish too', async () => {
    const { clock, fleet, manager } = await world({ cipher: 'blowfish', eventsPerSecond: 1 })
    fleet.start()
    await clock.advance(25_000)
    expect(fleet.counts()).toMatchObject({ connected: 1, acknowledgements: 1 })
    expect(manager.texts.some(({ text }) => parseEventLog(run, text.slice('1:muster-agents:'.length)))).toBe(true)
  })
})

describe('the events of an agent', () => {
  const disturbances = fc.array(
    fc.record({
      afterMs: fc.integer({ min: 1, max: 8_000 }),
      what: fc.constantFrom('reset', 'forceReconnect', 'silence', 'cutInSilence', 'managerEnds'),
    }),
    { maxLength: 8 },
  )

  it('are all accounted for, and none that was read counts as lost, whatever happens to connections', () =>
    fc.assert(
      fc.asyncProperty(disturbances, fc.integer({ min: 1, max: 60 }), async (plan, rate) => {
        const { clock, fleet, manager, network } = await world({
          eventsPerSecond: rate,
          servers: [serverAt('m1', { retryIntervalMs: 500, maxRetries: 1 })],
        })
        fleet.start()
        for (const { afterMs, what } of plan) {
          await clock.advance(afterMs)
          if (what === 'reset') network.reset('agents', 'm1')
          else if (what === 'forceReconnect') manager.say('#!-force_reconnect')
          else if (what === 'managerEnds') for (const stream of manager.streams) stream.end()
          else {
            network.partition('agents', 'm1')
            await clock.advance(3_000)
            if (what === 'cutInSilence') network.reset('agents', 'm1')
            network.repair('agents', 'm1')
          }
        }
        await clock.advance(10_000)
        const stopping = fleet.stop(20_000)
        await clock.advance(30_000)
        const ranges = await stopping
        const received = new ReceivedEvents()
        for (const { text } of manager.texts) {
          const event = parseEventLog(run, text.slice('1:muster-agents:'.length))
          if (event) received.add(event.agent, event.sequence)
        }
        const account = accountOf(ranges, received)
        expect(account).toMatchObject({ lost: 0, duplicated: 0, strange: 0, sent: fleet.counts().sent })
        expect(account.received + account.inFlight).toBe(account.sent)
        if (plan.every(({ what }) => what === 'forceReconnect')) expect(account.inFlight).toBe(0)
        if (plan.length === 0) expect(account.received).toBeGreaterThan(0)
      }),
      { numRuns: 15 },
    ))
})
