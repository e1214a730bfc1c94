/** What agents connect over in the real world: TCP, TLS and UDP. */
import type { AgentNetwork } from '../../ports/network.js'
import { createTcpNetwork } from './tcp.js'
import { dialTls } from './tlsDial.js'
import { listenTls } from './tlsServer.js'
import { openDatagrams } from './udpDatagrams.js'

export const createAgentNetwork = (): AgentNetwork => ({
  ...createTcpNetwork(),
  dialTls,
  listenTls: (endpoint, tls, onConnection, onAcceptError) => listenTls(endpoint, tls, { onConnection, onAcceptError }),
  openDatagrams,
})
