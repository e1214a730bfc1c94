/** Nodes behind a real balancer: servers of TCP on addresses of this machine, all at one port, that keep what connects to them. */
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { freePort } from '../../examples/demo/nodeHome.js'
import type { BalancedAgent } from '../../src/testing/compliance/balancerCases.js'

export const balancerAddress = '127.0.0.1'
export const nodeAddresses = ['127.0.0.2', '127.0.0.3', '127.0.0.4'] as const
export const absentAddress = '127.0.0.5'

export class BalancedNodes {
  readonly port: number
  readonly #servers: readonly Server[]
  readonly #sockets = new Set<Socket>()

  private constructor(port: number, servers: readonly Server[]) {
    this.port = port
    this.#servers = servers
  }

  static async listen(): Promise<BalancedNodes> {
    const port = await freePort()
    const servers = nodeAddresses.map((address) => createServer((socket) => greet(socket, address)))
    const nodes = new BalancedNodes(port, servers)
    for (const [index, server] of servers.entries()) {
      server.on('connection', (socket) => nodes.#keep(socket))
      server.listen({ host: nodeAddresses[index], port })
      await once(server, 'listening')
    }
    return nodes
  }

  /** Through a balancer that listens at `balancerAddress`; the node says which it is. */
  async connect(): Promise<BalancedAgent> {
    const socket = this.#keep(connect({ host: balancerAddress, port: this.port }))
    const [greeting]: unknown[] = await once(socket, 'data')
    return {
      address: String(greeting),
      get isOpen() {
        return !socket.readableEnded && !socket.destroyed
      },
    }
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    for (const server of this.#servers) server.close()
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => this.#sockets.delete(socket))
    socket.resume()
    return socket
  }
}

const greet = (socket: Socket, address: string): void => {
  socket.write(address)
}
