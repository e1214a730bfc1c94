/** Readiness and the check of a cluster: what makes a node unready, and what never does. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  behindMsMax,
  checkedNode,
  clusterFindings,
  isReady,
  ownFindings,
  readinessAnswer,
  worstFirst,
  worstOf,
} from '../../../../src/domain/cluster/monitoring/nodeHealth.js'
import type { NodeFigures } from '../../../../src/domain/cluster/nodeFigures.js'
import { anyFigures, nowMs, wellMaster, wellWorker, wellWorkerNode } from '../../../support/figuresArbitraries.js'

const dayMs = 24 * 60 * 60_000

const says = (figures: NodeFigures): string[] =>
  worstFirst(checkedNode(figures).findings)
    .filter(({ severity }) => severity !== 'ok')
    .map(({ check, severity, says: sentence }) => `${severity} ${check}: ${sentence}`)

describe('readiness', () => {
  it('does not depend on anybody else: a master is ready whatever becomes of its workers', () =>
    fc.assert(
      fc.property(anyFigures, ({ workers }) => {
        expect(isReady(ownFindings(wellMaster(...workers)))).toBe(true)
      }),
    ))

  it('is what the figures of the node itself say', () =>
    fc.assert(
      fc.property(anyFigures, (figures) => {
        const { certificates, diskFull, hasScanned, inSyncMs, isListening, master, type } = figures
        const isInSync = inSyncMs !== undefined && nowMs - inSyncMs <= behindMsMax(figures)
        const works = type === 'master' ? isListening : master?.isConnected === true && isInSync
        const isValid = certificates.every(({ endsMs, kind }) => kind !== 'node' || endsMs > nowMs)
        expect(isReady(ownFindings(figures))).toBe(works && hasScanned && !diskFull && isValid)
      }),
    ))

  it('says why not only to those who may know', () => {
    const unready = { ...wellWorkerNode, master: { isConnected: false, sinceMs: 0, error: 'Connection refused' }, diskFull: true }
    expect(readinessAnswer(unready, false)).toEqual({ code: 503, body: { status: 'degraded' } })
    expect(readinessAnswer(unready, true).body.checks).toMatchObject({
      master: 'Not connected to the master: Connection refused',
      disk: 'The disk is full: files of the master could not be written',
      sync: 'In sync with the master',
    })
    expect(readinessAnswer(wellWorkerNode, false)).toEqual({ code: 200, body: { status: 'ok' } })
  })
})

describe('the check of a cluster', () => {
  it('finds nothing wrong where nothing is', () => {
    expect(worstOf(checkedNode(wellMaster(wellWorker('w1'), wellWorker('w2'))).findings)).toBe('ok')
    expect(worstOf(checkedNode(wellWorkerNode).findings)).toBe('ok')
    expect(clusterFindings(wellMaster(wellWorker('w1')))).toEqual([{ check: 'workers', severity: 'ok', says: '1 of 1 worker connected' }])
  })

  it('names what is wrong with workers, and counts those beyond three', () => {
    const away = (name: string, code: string) => ({
      ...wellWorker(name),
      isConnected: false,
      inSync: false,
      leftFor: { code, message: 'The connection was lost' },
    })
    expect(says(wellMaster(away('w1', 'linkLost'), away('w2', 'peerStopping')))).toEqual([
      'critical workers: worker w1 is lost: The connection was lost',
      'warning workers: worker w2 was stopped',
    ])
    expect(says(wellMaster(...['a', 'b', 'c', 'd', 'e'].map((name) => away(name, 'peerStopping'))))).toEqual([
      'warning workers: worker a was stopped; worker b was stopped; worker c was stopped; and 2 more',
    ])
    expect(says(wellMaster({ ...away('w1', 'linkLost'), state: 'removed' }))).toEqual([])
    expect(says(wellMaster({ ...wellWorker('w1'), inSync: false, filesFailed: 2 }))).toEqual([
      'warning files: worker w1 cannot sync 2 files',
    ])
    expect(says(wellMaster({ ...wellWorker('w1'), clockSkewMs: -61_000 }))).toEqual(['warning clock: the clock of worker w1 is 61 s off'])
  })

  it('calls a worker behind only when it has been so for as long as several checks take', () =>
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 600_000 }), fc.integer({ min: 1_000, max: 60_000 }), (behindMs, syncIntervalMs) => {
        const worker = { ...wellWorker('w1'), inSync: false, inSyncMs: nowMs - behindMs }
        const isSaid = says({ ...wellMaster(worker), syncIntervalMs }).includes('critical sync: worker w1 is not in sync')
        expect(isSaid).toBe(behindMs > Math.max(60_000, 10 * syncIntervalMs))
      }),
    ))

  it('warns of a certificate for thirty days, and calls one that has ended critical', () => {
    const withEnd = (endsMs: number): NodeFigures => ({ ...wellMaster(), certificates: [{ kind: 'node', name: 'm', endsMs }] })
    expect(says(withEnd(nowMs + 31 * dayMs))).toEqual([])
    expect(says(withEnd(nowMs + 6.5 * dayMs))).toEqual(["warning certificate: The certificate 'm' expires in 6 days"])
    expect(says(withEnd(nowMs))).toEqual(["critical certificate: The certificate 'm' has expired"])
    const replaced = { ...wellMaster(), certificates: [{ kind: 'ca' as const, name: 'root', endsMs: nowMs - dayMs }] }
    expect(says(replaced)).toEqual(["warning certificate: The certificate of the authority 'root' has expired"])
  })
})
