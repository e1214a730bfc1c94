/** Links between nodes that have certificates, over simulated TLS: who is let in as whom, and what both sides say when one is not. */
import { describe, expect, it } from 'vitest'
import { ClusterError } from '../../src/base/errors.js'
import type { Link } from '../../src/ports/link.js'
import type { ByteStream, Network } from '../../src/ports/network.js'
import { createSimulatedNetwork } from '../../src/simulation/network/simulatedNetwork.js'
import type { SimulatedNodeCertificates } from '../../src/simulation/network/simulatedNodeCertificates.js'
import { createSimulatedNodeNetwork } from '../../src/simulation/network/simulatedNodeNetwork.js'
import { SeededRandom } from '../../src/simulation/world/seededRandom.js'
import { VirtualClock } from '../../src/simulation/world/virtualClock.js'
import { createTransport } from '../../src/transport/transport.js'
import { simulatedCertificates } from '../support/certificates/nodeCertificates.js'
import { forever, hello, outcome, recordingAcceptor } from '../support/sessionPair.js'

const endpoint = { host: 'master', port: 1516 }
const keys = { current: 'a shared key' }

interface Side {
  /** None: it has no TLS at all. */
  readonly certificates?: SimulatedNodeCertificates
  readonly requires?: boolean
  readonly allowed?: readonly string[]
}

class World {
  readonly clock = new VirtualClock()
  readonly acceptor = recordingAcceptor()
  readonly #random = new SeededRandom('certified')
  readonly #network = createSimulatedNetwork({ clock: this.clock, random: this.#random.fork('network'), segmentedShare: 0.5 })
  #count = 0

  plain(host: string): Network {
    return this.#network.network(host)
  }

  secured(host: string, certificates: SimulatedNodeCertificates): Network {
    const random = this.#random.fork(`tls ${++this.#count}`)
    return createSimulatedNodeNetwork({ network: this.plain(host), clock: this.clock, random, certificates })
  }

  transport(host: string, { allowed, certificates, requires = true }: Side, limits = {}) {
    const plain = this.plain(host)
    return createTransport({
      ...{ clock: this.clock, random: this.#random.fork(`${host} ${++this.#count}`), keys, limits },
      network: certificates ? this.secured(host, certificates) : plain,
      certified: certificates && { requires, allowed, plain },
    })
  }

  async listen(side: Side, limits = {}): Promise<void> {
    await this.transport('master', side, limits).listen(endpoint, this.acceptor.policy)
  }

  async dial(side: Side, node = 'worker-1'): Promise<{ readonly link?: Link; readonly error?: ClusterError }> {
    const dialled = await outcome(this.clock, this.transport(node, side).dial(endpoint, { ...hello, node }, forever))
    await this.clock.advance(2_000)
    if (dialled.value) return { link: dialled.value }
    if (dialled.error instanceof ClusterError) return { error: dialled.error }
    throw dialled.error
  }

  get refusals(): readonly string[] {
    return this.acceptor.refusals.map(({ error }) => `${error.code}: ${error.message}`)
  }

  async end(): Promise<void> {
    for (const link of this.acceptor.links) link.close('stopping')
    await this.clock.advance(20_000)
    expect(this.clock.pending).toBe(0)
  }
}

const master = { certificates: simulatedCertificates('master') }
const worker = { certificates: simulatedCertificates('worker-1') }

describe('a node with a certificate', () => {
  it('is let in under its name, and each side knows the certificate of the other', async () => {
    const world = new World()
    await world.listen(master)
    const { link } = await world.dial(worker)
    expect(link?.peer).toMatchObject({ node: 'master', certificate: { name: 'master' } })
    expect(world.acceptor.links[0]?.peer).toMatchObject({ node: 'worker-1', certificate: { name: 'worker-1', endsMs: 8.64e15 } })
    await world.end()
  })

  it('is refused under any other name, in the same words on both sides', async () => {
    const world = new World()
    await world.listen(master)
    const { error } = await world.dial({ certificates: simulatedCertificates('admin') })
    expect(error).toMatchObject({ code: 'notCertified', message: "The certificate is for 'admin', not for a node named 'worker-1'" })
    expect(world.refusals).toEqual([`notCertified: ${error?.message}`])
    await world.end()
  })

  it('refuses a master whose welcome has another name than its certificate, and says so to it', async () => {
    const world = new World()
    await world.listen({ certificates: simulatedCertificates('filebeat') })
    const closed: string[] = []
    const policy = world.acceptor.policy
    const onLink = policy.onLink
    policy.onLink = (link) => {
      link.onClosed((reason) => closed.push(reason.message))
      onLink(link)
    }
    const { error } = await world.dial(worker)
    expect(error).toMatchObject({ code: 'notCertified', message: "The certificate is for 'filebeat', not for a node named 'master'" })
    expect(closed).toEqual([error?.message])
    await world.end()
  })

  it.each([
    [
      'expired',
      simulatedCertificates('NAME', 'authority', { startsMs: 0, endsMs: 1 }),
      'has expired on 1970-01-01 00:00 UTC',
      'it has expired',
    ],
    ['not yet valid', simulatedCertificates('NAME', 'authority', { startsMs: 8e15, endsMs: 8e15 }), 'is not valid before', 'not valid yet'],
    ['of another authority', simulatedCertificates('NAME', 'another'), 'is not of an authority that is trusted', 'not of an authority'],
  ])('is refused in words on both sides when its certificate is %s, whichever side it is', async (_, certificates, here, there) => {
    const asWorker = new World()
    await asWorker.listen(master)
    const refused = await asWorker.dial({ certificates })
    expect(refused.error).toMatchObject({ code: 'notCertified' })
    expect(refused.error?.message).toContain('The peer refused the certificate of this node')
    expect(refused.error?.message).toContain(there)
    expect(asWorker.refusals.join()).toMatch(/^notCertified: The certificate of the peer \('NAME'\)/)
    expect(asWorker.refusals.join()).toContain(here)
    await asWorker.end()

    const asMaster = new World()
    await asMaster.listen({ certificates })
    const refusing = await asMaster.dial(worker)
    expect(refusing.error).toMatchObject({ code: 'notCertified' })
    expect(refusing.error?.message).toContain(here)
    expect(asMaster.refusals.join()).toContain(there)
    await asMaster.end()
  })

  it('is refused unless the list of allowed nodes has its name or its fingerprint', async () => {
    const { fingerprint } = worker.certificates.inUse.own
    const colons = fingerprint.toUpperCase().match(/../g)?.join(':') ?? ''
    for (const [allowed, isIn] of [
      [['worker-1'], true],
      [[fingerprint], true],
      [[colons], true],
      [['worker-2', 'f'.repeat(64)], false],
    ] as const) {
      const world = new World()
      await world.listen({ ...master, allowed })
      const { error, link } = await world.dial(worker)
      expect(link !== undefined).toBe(isIn)
      if (!isIn) expect(error?.message).toContain("Neither the name 'worker-1' nor the fingerprint")
      await world.end()
    }
  })
})

/** Ends the TLS of both sides with a certificate of its own, and passes on what is inside. */
const relay = async (world: World, certificates: SimulatedNodeCertificates | undefined): Promise<void> => {
  const network = certificates ? world.secured('relay', certificates) : world.plain('relay')
  const joined = (from: ByteStream, to: ByteStream): void =>
    from.attach({ onBytes: (bytes) => to.write([bytes]), onDrain: () => {}, onClosed: () => to.end() })
  await network.listen({ host: 'relay', port: 1516 }, (near) => {
    const early: Uint8Array[] = []
    let far: ByteStream | undefined
    near.attach({
      onBytes: (bytes) => (far ? far.write([bytes]) : early.push(bytes)),
      onDrain: () => {},
      onClosed: () => far?.end(),
    })
    void network.dial(endpoint, forever).then((stream) => {
      far = stream
      joined(stream, near)
      stream.write(early)
    })
  })
}

describe('a relay between two channels', () => {
  const dialled = async (world: World, side: Side): Promise<{ readonly value?: Link; readonly error?: unknown }> =>
    outcome(world.clock, world.transport('worker-1', side).dial({ host: 'relay', port: 1516 }, hello, forever))

  it('that has a certificate of its own gets no session through, though the key is the same', async () => {
    const world = new World()
    const filebeat = simulatedCertificates('filebeat')
    await world.listen(master)
    await relay(world, filebeat)
    expect((await dialled(world, worker)).error).toMatchObject({ code: 'handshakeRefused' })
    expect(world.refusals.join()).toContain('notAuthentic: The peer did not prove the cluster key')
    expect(world.acceptor.links).toEqual([])
  })

  it('that passes on the bytes of TLS itself is a wire', async () => {
    const world = new World()
    await world.listen(master)
    await relay(world, undefined)
    expect((await dialled(world, worker)).value?.peer.node).toBe('master')
  })
})

describe('a cluster that is switched on node by node', () => {
  it('has nodes with and without TLS on one port while it is not required', async () => {
    const world = new World()
    await world.listen({ ...master, requires: false })
    expect((await world.dial({})).link?.peer.certificate).toBeUndefined()
    expect((await world.dial(worker)).link?.peer.certificate).toMatchObject({ name: 'master' })
    expect(world.acceptor.links.map(({ peer }) => peer.certificate?.name)).toEqual([undefined, 'worker-1'])
    await world.end()
  })

  it('refuses a node without TLS in words on both sides once it is required', async () => {
    const world = new World()
    await world.listen(master)
    const { error } = await world.dial({})
    expect(error).toMatchObject({ code: 'notCertified' })
    expect(error?.message).toContain('The peer takes nodes over TLS only')
    expect(world.refusals.join()).toContain('notCertified: It did not come over TLS, which this node requires')
    await world.end()
  })

  it('lets a worker do without where the master has no TLS and none is required, and else says so', async () => {
    const world = new World()
    await world.listen({})
    const { link } = await world.dial({ ...worker, requires: false })
    expect(link?.peer).toMatchObject({ node: 'master' })
    expect(link?.peer.certificate).toBeUndefined()
    const { error } = await world.dial(worker)
    expect(error).toMatchObject({ code: 'dialFailed' })
    expect(error?.message).toContain('did not answer with TLS')
    expect(world.refusals.join()).toContain('The peer speaks TLS, which this node does not')
    await world.end()
  })
})

describe('the port of a node with a certificate', () => {
  const crowd = 8
  const limits = { unauthenticatedConnectionsMax: crowd, unauthenticatedPerAddressMax: crowd }

  it.each([
    ['say nothing', Buffer.alloc(0)],
    ['begin a handshake', Buffer.of(22, 3, 1)],
    ['speak without TLS', Buffer.concat([Buffer.from('MSTR'), Buffer.of(1, 1, 1, 0), Buffer.alloc(48)])],
  ])('keeps no more connections than may wait to be let in, of those that %s', async (_, bytes) => {
    const world = new World()
    await world.listen(master, limits)
    let open = 0
    for (let count = 0; count < 4 * crowd; count++) {
      const stream = await outcome(world.clock, world.plain('stranger').dial(endpoint, forever))
      open += 1
      stream.value?.attach({
        onBytes: () => {},
        onDrain: () => {},
        onClosed: () => {
          open -= 1
        },
      })
      if (bytes.byteLength > 0) stream.value?.write([bytes])
      await world.clock.advance(10)
      expect(open).toBeLessThanOrEqual(crowd + 1)
    }
    expect((await world.dial(worker)).link).toBeDefined()
    await world.clock.advance(15_000)
    expect(open).toBe(0)
    await world.end()
  })
})
