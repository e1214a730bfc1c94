/** A holder of the key that asks and cancels at once, over and over: it costs the master next to nothing, and delays no other peer. */
import { expect, it } from 'vitest'
import { limits } from '../../src/base/limits.js'
import type { IncomingStream, Link } from '../../src/ports/link.js'
import { SimulatedCluster } from '../../src/simulation/cluster.js'

const patient = { signal: new AbortController().signal, timeoutMs: 20_000 }
const files = 500
const query = JSON.stringify({ kind: 'files', all: true })

/** A cluster that is in sync, and the link of a holder of the key. */
const withHolder = async () => {
  const cluster = new SimulatedCluster({ seed: 5, nodes: 2 })
  for (let file = 0; file < files; file++) cluster.write('master', `etc/lists/${file}`, Buffer.from(`${file}`))
  cluster.startAll()
  await cluster.converge()
  let link: Link | undefined
  void cluster.dialAs('holder').then((open) => {
    link = open
  })
  await cluster.clock.runUntil(() => link !== undefined, 10_000)
  const { running } = cluster.master
  if (!link || !running) throw new Error('the peer was not let in')
  return { cluster, link, manifest: running.tree.manifest }
}

type Holder = Awaited<ReturnType<typeof withHolder>>

/** Counts the paths that are read from the master's manifest, in any way. */
const countTouched = ({ manifest }: Holder): (() => number) => {
  let touched = 0
  const { entries, sortedPaths } = Object.getPrototypeOf(manifest)
  manifest.entries = function* () {
    for (const entry of entries.call(manifest)) {
      touched += 1
      yield entry
    }
  }
  if (sortedPaths)
    manifest.sortedPaths = (index) => {
      const paths = sortedPaths.call(manifest, index)
      touched += paths.length
      return paths
    }
  return () => touched
}

const ask = (link: Link, stream: IncomingStream): Promise<string> =>
  link.request('control.query', { stream: stream.id, query }, patient).then(
    () => 'answered',
    (thrown: { code?: string }) => thrown.code ?? 'not typed',
  )

it('questions withdrawn in the same turn cost no walk of the tree, and an edit arrives meanwhile', async () => {
  const holder = await withHolder()
  const { cluster, link } = holder
  const touched = countTouched(holder)
  const outcomes: Promise<string>[] = []
  for (let turn = 0; turn < 20; turn++) {
    for (let pair = 0; pair < 100; pair++) {
      const stream = link.expectStream()
      outcomes.push(ask(link, stream))
      stream.cancel()
    }
    await cluster.clock.advance(10)
  }
  await cluster.clock.advance(1_000)
  const received = await Promise.all(outcomes)
  expect(new Set(received)).toEqual(new Set(['answered', 'overloaded']))
  expect(touched()).toBeLessThan(20 * limits.stepsPerTurnMax)
  cluster.write('master', 'etc/lists/edited', Buffer.from('edited'))
  await cluster.converge()
  await cluster.stopAll()
  expect(cluster.violations).toEqual([])
})
