/** A worker with another cluster.json than the master: nothing is synced, and every view for operators says why. */
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { defaultSyncedItems, type SyncedItems } from '../../../src/domain/files/syncedItems.js'
import type { AnswerLine } from '../../../src/domain/queries/answerLine.js'
import { printFiles, printFilesJson } from '../../../src/programs/clusterControl/printFiles.js'
import { SimulatedCluster } from '../../../src/simulation/cluster.js'

const { signal } = new AbortController()
const rulePath = 'etc/rules/local.xml'

const otherItems: SyncedItems = {
  ...defaultSyncedItems,
  items: [
    ...defaultSyncedItems.items.map((item) => (item.dir === 'etc/rules' ? { ...item, mode: 0o640 } : item)),
    { dir: 'etc/extra', files: 'all', mode: 0o660, recursive: true, removeEmptyDirectories: false, reload: false },
  ],
}

const startCluster = async (items: SyncedItems = otherItems): Promise<SimulatedCluster> => {
  const cluster = new SimulatedCluster({ seed: 4, nodes: 3, linesKept: 100_000 })
  cluster.write('master', rulePath, Buffer.from('<group/>'))
  cluster.start('master')
  cluster.start('w1', items)
  cluster.start('w2')
  await cluster.clock.advance(60_000)
  return cluster
}

const linesWith = (cluster: SimulatedCluster, ...texts: readonly string[]) =>
  cluster.trace.lines().filter((line) => texts.every((text) => line.includes(text)))

/** What cluster_control prints on this node. */
const printedOn = async (cluster: SimulatedCluster, node: string, print = printFiles): Promise<string> => {
  const { running } = cluster.node(node)
  if (!running) throw new Error(`${node} is not running`)
  async function* lines(): AsyncGenerator<AnswerLine> {
    if (running) yield* running.query({ kind: 'files', all: false }, signal)
  }
  let text = ''
  let isDone = false
  const printing = (async () => {
    for await (const part of print(lines())) text += part
    isDone = true
  })()
  await cluster.clock.runUntil(() => isDone, 10_000)
  await printing
  return text
}

const finish = async (cluster: SimulatedCluster): Promise<void> => {
  await cluster.stopAll()
  expect(cluster.violations).toEqual([])
}

describe('a worker whose synced items are not the master’s', () => {
  it('is warned about once a connection by the master, and once by itself, with each difference', async () => {
    const cluster = await startCluster()
    expect(linesWith(cluster, 'master/', 'warning', 'synced items of w1')).toEqual([
      expect.stringContaining(
        "warning The synced items of w1 differ from those of the master (etc/cluster.json), so nothing is synced: 'etc/extra/' is only on w1; 'etc/rules/': permissions 0o640 on w1, 0o660 on the master.",
      ),
    ])
    expect(linesWith(cluster, 'w1/', 'error', 'synced items')).toEqual([
      expect.stringContaining(
        "The synced items of this node differ from those of the master (etc/cluster.json), so nothing is synced: 'etc/extra/' is only on this node; 'etc/rules/': permissions 0o640 on this node, 0o660 on the master.",
      ),
    ])
    cluster.network.reset('master', 'w1')
    await cluster.clock.advance(60_000)
    expect(linesWith(cluster, 'master/', 'warning', 'synced items of w1')).toHaveLength(2)
    expect(cluster.treeOf('w1').files.has(rulePath)).toBe(false)
    expect(cluster.treeOf('w2').files.has(rulePath)).toBe(true)
    await finish(cluster)
  })

  it('is shown with the reason by cluster_control -f on every node, until its items are the same again', async () => {
    const cluster = await startCluster()
    const reason = "'etc/rules/': permissions 0o640 on w1, 0o660 on the master"
    for (const node of ['master', 'w1', 'w2']) {
      const text = await printedOn(cluster, node)
      expect(text).toContain('The files of w1 are not compared: The synced items of w1 differ from those of the master')
      expect(text).toContain(reason)
      expect(text).not.toContain('yet')
      expect(text).toContain('The file of w2 is in sync.')
      const json: unknown = JSON.parse(await printedOn(cluster, node, printFilesJson))
      expect(json).toMatchObject({
        nodes: [
          { name: 'w1', in_sync: false, code: 'itemsDiffer', error: expect.stringContaining(reason) },
          { name: 'w2', in_sync: true },
        ],
      })
    }
    cluster.crash('w1', 'process')
    cluster.start('w1')
    await cluster.clock.advance(60_000)
    expect(await printedOn(cluster, 'w1')).toContain('The file of w1 is in sync.')
    await finish(cluster)
  })

  it('is answered and shown within bounds, however many items it has', async () => {
    const items = Array.from({ length: 3_000 }, (_, index) => ({
      dir: `etc/extra/${'d'.repeat(60)}${index}`,
      files: 'all' as const,
      mode: 0o660,
      recursive: true,
      removeEmptyDirectories: false,
      reload: false,
    }))
    for (const count of [items.length, 100]) {
      const cluster = await startCluster({ ...defaultSyncedItems, items: [...defaultSyncedItems.items, ...items.slice(0, count)] })
      const [line = ''] = linesWith(cluster, 'master/', 'warning', 'synced items of w1')
      expect(line.length).toBeLessThan(limits.itemsDifferencesShownMax * 400)
      expect(line).toContain(count === 100 ? `and ${100 - limits.itemsDifferencesShownMax} more` : 'too many items to be compared')
      await finish(cluster)
    }
  })

  it('of a build that does not send its items is warned about and shown all the same', async () => {
    const cluster = await startCluster(defaultSyncedItems)
    const dialling = cluster.dialAs('old')
    await cluster.clock.advance(5_000)
    const link = await dialling
    const check = { root: new Uint8Array(32), items: new Uint8Array(32), files: 0 }
    for (const round of [1, 2, 3]) {
      const asked = link.request('integrity.check', check, { signal, timeoutMs: 20_000 }).catch((thrown: unknown) => thrown)
      await cluster.clock.advance(1_000)
      expect(await asked, `round ${round}`).toMatchObject({ code: 'itemsDiffer' })
    }
    expect(linesWith(cluster, 'warning', 'The synced items of old differ from those of the master (etc/cluster.json)')).toHaveLength(1)
    expect(await printedOn(cluster, 'w1')).toContain('The files of old are not compared: The synced items of old')
    link.close('stopping')
    await cluster.clock.advance(5_000)
    await finish(cluster)
  })
})
