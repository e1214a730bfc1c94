/** The list of nodes over Wazuh's local socket: as cluster_control asks, a connection for each question, and many questions on a connection. */
import { join } from 'node:path'
import type { LocalClientCalls } from '../children/localClients.js'
import type { NodeCalls } from '../children/node.js'
import { atLeast, type Row } from '../row.js'
import { makeHome } from '../trees.js'

const workerCount = 10
const inFlight = 4
const seconds = 3

export const nodesOverLocalSocket: Row = {
  name: "get_nodes on Wazuh's local socket, 11 nodes",
  target: '≥ 5 000/s',
  run: async (workshop) => {
    const home = makeHome(workshop.place('local-socket'))
    const master = workshop.child<NodeCalls>('node')
    const workers = workshop.child<NodeCalls>('node')
    const clients = workshop.child<LocalClientCalls>('localClients')
    const port = await master.call('start', { node: 'master', type: 'master', home, port: 0 })
    for (let index = 1; index <= workerCount; index++)
      await workers.call('start', { node: `w${index}`, type: 'worker', home, port, files: 'none' })
    await master.call('happened', { type: 'workerJoined', count: workerCount })
    const socketPath = join(home, 'local.sock')
    await master.call('serveLocal', { node: 'master', socketPath })
    const measure = async (areConnectionsKept: boolean) => {
      await clients.call('ask', { areConnectionsKept, inFlight, seconds: 1, socketPath })
      return clients.call('ask', { areConnectionsKept, inFlight, seconds: workshop.scaled(seconds), socketPath })
    }
    const eachItsOwn = await measure(false)
    const kept = await measure(true)
    return [
      {
        what: 'a connection for each',
        measured: eachItsOwn.perSecond,
        unit: '/s',
        ...atLeast(5_000),
        note: `${inFlight} clients in one process; an answer has ${eachItsOwn.bytes} bytes`,
      },
      { what: 'connections kept', measured: kept.perSecond, unit: '/s', ...atLeast(5_000), note: `${inFlight} connections` },
    ]
  },
}
