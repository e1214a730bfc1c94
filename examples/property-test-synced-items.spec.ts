/**
 * Property-tests your own choice of synced items: whatever is edited on any node, and whatever goes wrong meanwhile, all
 * nodes end with the master's files, and each node keeps its own files. Real daemon code, in virtual time.
 */
import fc from 'fast-check'
import type { SyncedItems } from 'muster'
import { faultPlans, injectFault, renderPlan, SimulatedCluster } from 'muster/testing'
import { describe, expect, it } from 'vitest'

/** The configuration under test: the rules, and one certificate out of a directory that also holds private keys. */
const synced: SyncedItems = {
  items: [
    { dir: 'etc/rules', files: 'all', mode: 0o640, recursive: true, removeEmptyDirectories: true, reload: true },
    { dir: 'etc/certs', files: ['root-ca.pem'], mode: 0o644, recursive: false, removeEmptyDirectories: false, reload: false },
  ],
  excludedNames: ['ar.conf', 'ossec.conf', 'this_node_only.xml'],
  excludedEndings: ['~', '.tmp', '.bak'],
}

const nodes = ['master', 'w1', 'w2']
const minutes = 60_000

/** What is generated: edits of synced files on any node, deletions, crashes, partitions, full disks. */
const plans = faultPlans({
  nodes,
  durationMs: 5 * minutes,
  kinds: [
    'editMaster',
    'deleteMasterFile',
    'editWorker',
    'deleteWorkerFile',
    'addExtraFile',
    'chmod',
    'kill',
    'crash',
    'partition',
    'diskFull',
  ],
  paths: ['etc/rules/local_rules.xml', 'etc/rules/site/berlin.xml', 'etc/certs/root-ca.pem'],
  faultsMax: 15,
})

/** Files that belong to one node alone. */
const ownFiles = ['etc/certs/node-key.pem', 'etc/rules/this_node_only.xml', 'etc/rules/local_rules.xml.bak']

describe('our synced items', () => {
  it('converge to the master’s files after any edits and faults, and leave each node its own files', () =>
    fc.assert(
      fc.asyncProperty(fc.nat(1_000_000), plans, async (seed, plan) => {
        const cluster = new SimulatedCluster({ seed, nodes: nodes.length, synced })
        cluster.write('master', 'etc/rules/local_rules.xml', Buffer.from('<group name="local,"/>'))
        for (const node of nodes) for (const path of ownFiles) cluster.write(node, path, Buffer.from(`of ${node}`))
        cluster.startAll()
        for (const fault of plan)
          cluster.clock.setTimeout(() => {
            const ending = injectFault(cluster, fault)
            if (ending) cluster.clock.setTimeout(ending.end, ending.afterMs)
          }, fault.atMs)
        await cluster.clock.advance(10 * minutes)

        cluster.heal()
        await cluster.converge()
        expect(cluster.differences(), renderPlan(plan)).toEqual([])
        for (const node of nodes)
          for (const path of ownFiles) expect(cluster.node(node).disk.contentOf(cluster.absolute(path)).toString()).toBe(`of ${node}`)

        // Every single write was checked, and nothing may be left running.
        await cluster.stopAll()
        expect(cluster.violations, renderPlan(plan)).toEqual([])
      }),
      { numRuns: 12 },
    ))
})
