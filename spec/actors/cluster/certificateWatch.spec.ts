/** Certificates while a node runs: taken when renewed, said ahead of their end, and links that end with them. */
import { describe, expect, it } from 'vitest'
import { createActor } from 'xstate'
import { certificateFigures, certificateWatch } from '../../../src/actors/cluster/certificateWatch.js'
import { limits } from '../../../src/base/limits.js'
import type { Link, Peer } from '../../../src/ports/link.js'
import { simulatedIdentity } from '../../../src/simulation/network/simulatedCertificates.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { authorityText, simulatedCertificates } from '../../support/certificates/nodeCertificates.js'
import { recordingLog } from '../../support/recordingLog.js'
import { ScriptedLink } from '../../support/scriptedLink.js'

const dayMs = 86_400_000

const linkOf = (node: string, endsMs: number, ownEndsMs: number): ScriptedLink & { readonly peer: Peer } => {
  const link = new ScriptedLink(node)
  return Object.assign(link, { peer: { ...link.peer, certificate: { name: node, endsMs, ownEndsMs } } })
}

const watched = (ownDays: number, linksOf: (nowMs: number) => readonly ScriptedLink[] = () => [], name = 'master') => {
  const time = new VirtualClock()
  const clock = time.view()
  const nowMs = clock.now()
  const certificates = simulatedCertificates(name, 'authority', { startsMs: 0, endsMs: nowMs + ownDays * dayMs })
  const links = linksOf(nowMs)
  const log = recordingLog()
  const open = (): readonly Link[] => links.filter(({ isOpen }) => isOpen)
  const actor = createActor(certificateWatch({ node: 'master', certificates, clock, links: open, log }), { clock })
  actor.start()
  const end = (): void => {
    actor.stop()
    expect(clock.pending).toBe(0)
  }
  /** Somebody sets the clock on, and the next check comes. */
  const pass = async (ms: number): Promise<void> => {
    clock.jump(ms - limits.certificatesCheckMs)
    await time.advance(limits.certificatesCheckMs)
  }
  return { certificates, end, links, log, nowMs, pass, time }
}

describe('the certificates of a running node', () => {
  it('are warned of at 30, 7 and 1 days before the end, and are an error at the end, each once', async () => {
    const { end, log, pass } = watched(40)
    await pass(9 * dayMs)
    expect(log.lines).toEqual([])
    for (const [days, lines] of [
      [1.5, 1],
      [22, 1],
      [1, 2],
      [6, 3],
      [2, 4],
      [9, 4],
    ] as const) {
      await pass(days * dayMs)
      expect(log.lines.length).toBe(lines)
    }
    expect(log.lines.map((line) => line.split(' ')[0])).toEqual(['warning', 'warning', 'warning', 'error'])
    end()
  })

  it('are taken when they were renewed, and stay as they were when the new ones cannot be used', async () => {
    const { certificates, end, log, nowMs, time } = watched(3)
    certificates.files = { ca: authorityText, certificate: 'not a certificate', key: 'not a key' }
    await time.advance(10 * limits.certificatesCheckMs)
    expect(log.lines.filter((line) => line.includes('cannot be used; the previous ones stay in use'))).toHaveLength(1)
    expect(certificateFigures(certificates, 'master')[0]).toEqual({ kind: 'node', name: 'master', endsMs: nowMs + 3 * dayMs })
    const endsMs = nowMs + 300 * dayMs
    certificates.files = { ca: authorityText, ...simulatedIdentity('authority', ['master'], { startsMs: 0, endsMs }) }
    await time.advance(limits.certificatesCheckMs)
    expect(log.lines.at(-1)).toContain('New certificates are in use for new connections.')
    expect(certificateFigures(certificates, 'master').map((figures) => figures.kind)).toEqual(['node', 'ca'])
    expect(certificateFigures(certificates, 'master')[0]).toMatchObject({ endsMs })
    end()
  })

  it('end the links that were made with them, to the moment, and say on both sides whose it was', async () => {
    const soonMs = limits.certificatesCheckMs * 1.3
    const { end, links, time } = watched(100, (nowMs) => [
      linkOf('w1', nowMs + soonMs, nowMs + 2 * soonMs),
      linkOf('w2', nowMs + 3 * soonMs, nowMs + 2 * soonMs),
      linkOf('w3', nowMs + 90 * soonMs, nowMs + 90 * soonMs),
      new ScriptedLink('w4'),
    ])
    await time.advance(soonMs - 1)
    expect(links.map(({ isOpen }) => isOpen)).toEqual([true, true, true, true])
    await time.advance(1)
    expect(links.map(({ isOpen }) => isOpen)).toEqual([false, true, true, true])
    expect(links[0]?.closedWith?.error).toMatchObject({ code: 'notCertified' })
    expect(links[0]?.closedWith?.error?.message).toContain('The certificate of w1 under this connection has ended on')
    await time.advance(soonMs)
    expect(links.map(({ isOpen }) => isOpen)).toEqual([false, false, true, true])
    expect(links[1]?.closedWith?.error?.message).toContain('The certificate of master under this connection has ended on')
    end()
  })

  it('for another name are warned of at the start', () => {
    const { end, log } = watched(100, () => [], 'admin')
    expect(log.lines).toEqual([
      "warning [-] [-] The certificate is for 'admin', not for a node named 'master'. Other nodes will refuse this one.",
    ])
    end()
  })
})
