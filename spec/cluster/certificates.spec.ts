/** Simulated clusters whose nodes show certificates: they work as others do, and certificates end and are renewed while they run. */
import { describe, expect, it } from 'vitest'
import { SimulatedCluster } from '../../src/simulation/cluster.js'
import { parseFaultKinds } from '../../src/simulation/faults/faultPlan.js'
import { simulate } from '../../src/simulation/simulate.js'
import { certificateTexts } from '../../src/simulation/simulatedNode.js'

const minuteMs = 60_000

describe('a cluster with certificates', () => {
  it('loses a worker when its certificate ends, and has it back in sync once it is renewed', async () => {
    const cluster = new SimulatedCluster({ seed: 1, nodes: 3, tls: true })
    cluster.startAll()
    await cluster.clock.advance(minuteMs)
    expect(cluster.master.running?.registry?.get('w1')?.link.peer.certificate).toMatchObject({ name: 'w1' })
    const { certificates, clock } = cluster.node('w1')
    if (!certificates) throw new Error('w1 has no certificate')
    const renew = (validMs: number): void => {
      certificates.files = certificateTexts('w1', { startsMs: 0, endsMs: clock.now() + validMs })
    }
    // Taken for new connections only: the link that is up was made with the one before.
    renew(10 * minuteMs)
    await cluster.clock.advance(minuteMs)
    cluster.network.reset('w1', 'master')
    await cluster.clock.advance(minuteMs)
    expect(cluster.isMember('w1')).toBe(true)
    const figures = cluster.node('w1').running?.figures()
    await cluster.clock.advance(1_000)
    expect((await figures)?.certificates).toMatchObject([
      { kind: 'node', name: 'w1', endsMs: certificates.inUse.own.endsMs },
      { kind: 'ca' },
    ])
    await cluster.clock.advance(10 * minuteMs)
    expect([cluster.isMember('w1'), cluster.isMember('w2')]).toEqual([false, true])
    cluster.write('master', 'etc/rules/local_rules.xml', Buffer.from('new'))
    renew(1e9 * minuteMs)
    await cluster.converge()
    expect(cluster.isMember('w1')).toBe(true)
    await cluster.stopAll()
    expect(cluster.violations).toEqual([])
  })

  it('keeps every rule under faults, and gives the same run for the same seed', async () => {
    const kinds = parseFaultKinds('network,crash,clock,edits')
    if (!kinds.ok) throw kinds.error
    const run = () => simulate({ seed: 7, nodes: 3, virtualMs: 4 * minuteMs, kinds: kinds.value, faultsPerHour: 200, tls: true, agents: 0 })
    const [first, second] = [await run(), await run()]
    expect(first.violations).toEqual([])
    expect(second.traceHash).toBe(first.traceHash)
  })
})
