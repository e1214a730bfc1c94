/** A worker that has the key and lies: it gets typed errors or a closed link, and harms no other node. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClusterError } from '../../src/base/errors.js'
import { limits } from '../../src/base/limits.js'
import { encodeEntries } from '../../src/domain/files/entryColumns.js'
import { bucketOf, partIndexOf } from '../../src/domain/files/pathHash.js'
import type { Link } from '../../src/ports/link.js'
import { SimulatedCluster } from '../../src/simulation/cluster.js'
import { arbitraryOf } from '../../src/testing/messageArbitraries.js'
import type { RequestBody, RequestName } from '../../src/wire/muster/messages.js'
import { requests } from '../../src/wire/muster/messages.js'
import { runs } from '../support/runs.js'

const signal = new AbortController().signal
const timeoutMs = 20_000

/** A cluster that is in sync, and a link of an impostor to its master; afterwards every node is as before. */
const withLiar = async (lie: (link: Link, cluster: SimulatedCluster) => Promise<void>): Promise<void> => {
  const cluster = new SimulatedCluster({ seed: 3, nodes: 3 })
  cluster.write('master', 'etc/client.keys', Buffer.from('001 ab any 1\n'))
  cluster.write('master', 'etc/rules/local_rules.xml', Buffer.from('<group/>'))
  cluster.startAll()
  await cluster.converge()
  const before = cluster.treeOf('master')
  let link: Link | undefined
  void cluster.dialAs('liar').then((open) => {
    link = open
  })
  await cluster.clock.runUntil(() => link !== undefined, 10_000)
  if (!link) throw new Error('the liar did not get in')
  let isDone = false
  const lying = lie(link, cluster).finally(() => {
    isDone = true
  })
  await cluster.clock.runUntil(() => isDone, 300_000)
  await lying
  link.close('stopping')
  await cluster.clock.advance(20_000)
  expect(cluster.treeOf('master')).toEqual(before)
  expect(cluster.differences()).toEqual([])
  expect(cluster.isMember('w1') && cluster.isMember('w2')).toBe(true)
  await cluster.stopAll()
  expect(cluster.violations).toEqual([])
}

const outcomeOf = async (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => 'answered',
    (thrown: unknown) => (thrown instanceof ClusterError ? thrown.code : `not typed: ${String(thrown)}`),
  )

describe('a worker with the key that lies', () => {
  it('gets a typed refusal for paths that lead anywhere but into the synced items', () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom(
          '../etc/passwd',
          '/etc/passwd',
          'etc/rules/../../secret',
          'etc/ossec.conf',
          'etc/rules/a.tmp',
          'etc//rules/x',
          'etc/rules/.',
          `etc/rules/${'n'.repeat(256)}`,
          'logs/cluster.log',
          '',
        ),
        (path) =>
          withLiar(async (link) => {
            const stream = link.expectStream()
            const fetch = link.request(
              'integrity.fetch',
              { stream: stream.id, paths: path, digests: new Uint8Array(32), offsets: [0], compress: false },
              { signal, timeoutMs },
            )
            expect(await outcomeOf(fetch)).toMatch(/^(pathRefused|malformed)$/)
            stream.cancel()
            const wanted = { path, digest: new Uint8Array(32) }
            const recipe = link.request('integrity.recipe', wanted, { signal, timeoutMs })
            expect(await outcomeOf(recipe)).toMatch(/^(pathRefused|malformed)$/)
            const ranges = { ...wanted, stream: link.expectStream().id, ranges: Buffer.alloc(8, 1), compress: false }
            expect(await outcomeOf(link.request('integrity.ranges', ranges, { signal, timeoutMs }))).toMatch(/^(pathRefused|malformed)$/)
            const entries = encodeEntries([{ path, size: 1, mode: 0o660, digest: '0'.repeat(64) }])
            const compare = link.request('integrity.compare', { buckets: [bucketOf(path)], counts: [1], entries }, { signal, timeoutMs })
            expect(await outcomeOf(compare)).toMatch(/^(pathRefused|malformed)$/)
            const parts = link.request(
              'integrity.compareParts',
              { parts: [partIndexOf(path)], counts: [1], entries },
              { signal, timeoutMs },
            )
            expect(await outcomeOf(parts)).toMatch(/^(pathRefused|malformed)$/)
          }),
      ),
      { numRuns: 10 },
    ))

  it('gets a typed error or an answer for any message of the table, whatever is in it', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc
            .constantFrom<RequestName>(
              'integrity.check',
              'integrity.buckets',
              'integrity.compare',
              'integrity.parts',
              'integrity.compareParts',
              'integrity.fetch',
              'integrity.recipe',
              'integrity.ranges',
              'integrity.report',
              'control.query',
              'keepAlive.beat',
            )
            .chain((name) => fc.tuple(fc.constant(name), arbitraryOf(requests[name].request))),
          { minLength: 1, maxLength: 10 },
        ),
        (messages) =>
          withLiar(async (link) => {
            for (const [name, body] of messages)
              expect(await outcomeOf(link.request(name, body as RequestBody<typeof name>, { signal, timeoutMs }))).not.toContain(
                'not typed',
              )
          }),
      ),
      { numRuns: runs(25) },
    ))

  it('cannot start more transfers than its share, or hold memory with streams that it never reads', () =>
    withLiar(async (link) => {
      const outcomes: string[] = []
      for (let i = 0; i < limits.fetchesPerWorkerMax + 3; i++) {
        const stream = link.expectStream()
        const digests = new Uint8Array(32)
        outcomes.push(
          await outcomeOf(
            link.request(
              'integrity.fetch',
              { stream: stream.id, paths: 'etc/rules/local_rules.xml', digests, offsets: [0], compress: false },
              { signal, timeoutMs },
            ),
          ),
        )
      }
      expect(outcomes.every((outcome) => outcome === 'answered' || outcome === 'overloaded' || outcome === 'wrongState')).toBe(true)
    }))

  it('can claim failures without end, but the master keeps only as many as the limit', () =>
    withLiar(async (link, cluster) => {
      const failures = Array.from({ length: limits.reportedFailuresMax }, (_, index) => ({
        path: `etc/rules/${index}`,
        code: 'x',
        message: '\u001b[31mred',
      }))
      for (let i = 0; i < 20; i++)
        await link.request(
          'integrity.report',
          { phase: 'applied', created: 0, updated: 0, removed: 0, failures, failuresLeftOut: 1_000_000, tookMs: 1 },
          { signal, timeoutMs },
        )
      expect(cluster.master.running?.registry?.get('liar')?.state.files.size).toBeLessThanOrEqual(limits.reportedFailuresMax)
      const tooMany = [...failures, ...failures]
      const report = link.request(
        'integrity.report',
        { phase: 'applied', created: 0, updated: 0, removed: 0, failures: tooMany, failuresLeftOut: 0, tookMs: 1 },
        { signal, timeoutMs },
      )
      expect(await outcomeOf(report)).not.toBe('answered')
    }))

  it('is disconnected for a second hello', () =>
    withLiar(async (link, cluster) => {
      const hello = { cluster: 'simulated', node: 'w1', type: 'worker' as const, instance: 'x', version: '1', capabilities: [] }
      const closed = new Promise((resolve) => link.onClosed(resolve))
      expect(await outcomeOf(link.request('session.hello', hello, { signal, timeoutMs }))).not.toBe('answered')
      await closed
      expect(cluster.isMember('liar')).toBe(false)
    }))
})
