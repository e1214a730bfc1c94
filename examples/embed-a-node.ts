/**
 * A program that embeds two nodes, a master and a worker: waits until the worker has the master's files, prints what happens, stops.
 * `npm run examples` compiles and runs it, on Node 20 too. From Node 22.18 on, after `npm ci`: `node examples/embed-a-node.ts`.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ClusterNode, createNode, type NodeEvent } from 'muster'

const key = randomBytes(16).toString('hex')
const newHome = (): string => mkdtempSync(join(tmpdir(), 'muster-example-'))

/** Resolves with the first event that `is` recognizes. */
const eventOf = (node: ClusterNode, is: (event: NodeEvent) => boolean): Promise<NodeEvent> =>
  new Promise((resolve) => {
    const stopListening = node.onEvent((event) => {
      if (!is(event)) return
      stopListening()
      resolve(event)
    })
  })

const homes = { master: newHome(), worker: newHome() }
mkdirSync(join(homes.master, 'etc/rules'), { recursive: true })
writeFileSync(join(homes.master, 'etc/rules/local_rules.xml'), '<group name="local,"></group>\n')
writeFileSync(join(homes.master, 'etc/client.keys'), '001 web-1 any 0123456789abcdef\n')

const master = createNode({
  home: homes.master,
  type: 'master',
  node: 'master',
  key,
  bindAddress: '127.0.0.1',
  // Port 0: any free one. `start` says which it is.
  master: { host: '127.0.0.1', port: 0 },
})
master.onEvent((event) => console.log('master:', event.type, 'node' in event ? event.node : ''))

try {
  const { port = 0 } = await master.start()
  const worker = createNode({ home: homes.worker, type: 'worker', node: 'worker-1', key, master: { host: '127.0.0.1', port } })
  worker.onEvent((event) => console.log('worker:', event.type, event.type === 'applied' ? `${event.created} files created` : ''))
  try {
    const synced = eventOf(worker, (event) => event.type === 'applied' && event.failed === 0)
    await worker.start()
    await synced
    console.log('The worker has:', readFileSync(join(homes.worker, 'etc/rules/local_rules.xml'), 'utf8').trim())
    // What cluster_control shows, as data; a worker asks its master.
    for await (const line of worker.query({ kind: 'nodes' }))
      if (line.kind === 'node') console.log('node:', line.node.name, line.node.type, line.node.address)
  } finally {
    await worker.stop()
  }
} finally {
  await master.stop()
  for (const home of Object.values(homes)) rmSync(home, { recursive: true, force: true })
}
