/** A network of streams for agents that neither enrol nor send datagrams. */
import { ClusterError } from '../../src/base/errors.js'
import type { AgentNetwork, Network } from '../../src/ports/network.js'

const notHere = (): Promise<never> => Promise.reject(new ClusterError('listenFailed', { message: 'There are only streams here' }))

export const streamsOnly = (network: Network): AgentNetwork => ({
  ...network,
  dialTls: notHere,
  listenTls: notHere,
  openDatagrams: notHere,
})
