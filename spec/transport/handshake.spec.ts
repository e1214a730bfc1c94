/** Which peers get in, which do not, and what each of them learns. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClusterError, refuse } from '../../src/base/errors.js'
import type { ByteStream, Network } from '../../src/ports/network.js'
import { VirtualClock } from '../../src/simulation/world/virtualClock.js'
import { MemoryNetwork } from '../support/memoryNetwork.js'
import { endpoint, forever, hello, type Own, outcome, recordingAcceptor, transportOver, welcome } from '../support/sessionPair.js'

const meeting = async (masterOwn: Own, workerOwn: Own, acceptor = recordingAcceptor(), network = new MemoryNetwork()) => {
  const clock = new VirtualClock()
  await transportOver(network, clock, masterOwn).listen(endpoint, acceptor.policy)
  const dialed = await outcome(clock, transportOver(network, clock, workerOwn).dial(endpoint, hello, forever))
  await clock.advance(2_000)
  return { dialed, acceptor: acceptor, network, clock }
}

const keys = (current: string, previous?: string): Own => ({ keys: { current, previous } })

describe('the handshake', () => {
  it('gives both sides a link that knows its peer', async () => {
    const { dialed, acceptor } = await meeting({}, {})
    expect(dialed.value?.peer).toMatchObject({
      node: welcome.node,
      type: 'master',
      version: 'v2',
      wazuh: '4.14.7',
      protocol: 1,
      key: 'current',
    })
    expect(acceptor.links[0]?.peer).toMatchObject({
      node: hello.node,
      type: 'worker',
      version: 'v1',
      wazuh: '4.14.6',
      capabilities: ['zstd'],
      protocol: 1,
      key: 'current',
    })
    expect(acceptor.refusals).toEqual([])
  })

  it.each([
    ['the same key', keys('a'), keys('a'), 'current', 'current'],
    ['the master rotated first', keys('b', 'a'), keys('a'), 'previous', 'current'],
    ['the worker rotated first', keys('a'), keys('b', 'a'), 'current', 'previous'],
    ['both rotated', keys('b', 'a'), keys('b', 'a'), 'current', 'current'],
  ])('lets a key be rotated node by node: %s', async (_, masterOwn, workerOwn, masterSees, workerSees) => {
    const { dialed, acceptor } = await meeting(masterOwn, workerOwn)
    expect(dialed.value?.peer.key).toBe(workerSees)
    expect(acceptor.links[0]?.peer.key).toBe(masterSees)
  })

  it('only closes the connection of a peer without the key', async () => {
    const { dialed, acceptor, network, clock } = await meeting(keys('a', 'b'), keys('c'))
    expect(dialed.error).toMatchObject({ code: 'handshakeRefused' })
    expect(network.streams[0]?.[1].writtenBytes).toBe(0)
    expect(acceptor.refusals).toMatchObject([{ address: 'memory', error: { code: 'notAuthentic' } }])
    expect(clock.pending).toBe(0)
  })

  it('speaks the highest version that both know, and refuses with a sentence when there is none', async () => {
    const both = await meeting({ protocol: { min: 1, max: 4 } }, { protocol: { min: 2, max: 7 } })
    expect([both.dialed.value?.peer.protocol, both.acceptor.links[0]?.peer.protocol]).toEqual([4, 4])
    const none = await meeting({ protocol: { min: 3, max: 4 } }, { protocol: { min: 1, max: 2 } })
    expect(none.dialed.error).toMatchObject({
      code: 'noCommonProtocol',
      message: expect.stringContaining('this node speaks 1 to 2, the peer 3 to 4'),
    })
    expect(none.acceptor.refusals).toMatchObject([{ error: { code: 'noCommonProtocol' } }])
    expect(none.clock.pending).toBe(0)
  })

  it.each(['wrongClusterName', 'duplicateName', 'sameNameAsMaster'] as const)(
    'brings the refusal %s to the worker with its sentence',
    async (code) => {
      const { dialed, acceptor, clock } = await meeting(
        {},
        {},
        recordingAcceptor(() => refuse(code, { message: 'Because I say so' })),
      )
      expect(dialed.error).toMatchObject({ code, message: 'Because I say so' })
      expect(acceptor.refusals).toMatchObject([{ error: { code } }])
      expect(acceptor.links).toEqual([])
      expect(clock.pending).toBe(0)
    },
  )

  it('ends in a typed error on both sides when any of its bytes is changed, cut off or repeated', () =>
    fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.constantFrom('flip', 'drop', 'repeat'),
        fc.array(fc.integer({ min: 1, max: 80 }), { minLength: 1 }),
        async (place, how, readSizes) => {
          let passed = 0
          const target = place % 300
          const tap = (_: string, bytes: Buffer): Uint8Array[] => {
            const at = target - passed
            passed += bytes.byteLength
            if (at < 0 || at >= bytes.byteLength) return [bytes]
            if (how === 'drop') return [bytes.subarray(0, at)]
            if (how === 'repeat') return [bytes, bytes]
            const spoilt = Buffer.from(bytes)
            spoilt[at] = (spoilt[at] ?? 0) ^ 0x10
            return [spoilt]
          }
          const { dialed, acceptor, clock, network } = await meeting({}, {}, recordingAcceptor(), new MemoryNetwork({ tap, readSizes }))
          await clock.advance(30_000)
          // A repeated last message arrives after the link is made, and ends the link instead.
          if (dialed.value) expect(passed).toBeGreaterThan(target)
          else expect(dialed.error).toBeInstanceOf(ClusterError)
          for (const { error } of acceptor.refusals) expect(error).toBeInstanceOf(ClusterError)
          if (!dialed.value || acceptor.links.length === 0) expect(network.streams.flat().every((stream) => stream.isClosed)).toBe(true)
        },
      ),
      { numRuns: 120 },
    ))

  it('only closes a repeated opening, and still answers the original peer when it dials again', async () => {
    const clock = new VirtualClock()
    const acceptor = recordingAcceptor()
    const openings: Buffer[] = []
    const network = new MemoryNetwork({
      tap: (direction, bytes) => {
        if (direction === 'toListener') openings.push(bytes)
        return [bytes]
      },
    })
    await transportOver(network, clock).listen(endpoint, acceptor.policy)
    const dialing = transportOver(network, clock)
    expect((await outcome(clock, dialing.dial(endpoint, hello, forever))).value).toBeDefined()
    const [opening = Buffer.alloc(0)] = openings
    for (let count = 0; count < 3; count++) {
      const stream = await network.dial(endpoint, forever, 'stranger')
      stream.attach({ onBytes: () => {}, onDrain: () => {}, onClosed: () => {} })
      stream.write([opening])
      await clock.settle()
      expect(network.streams.at(-1)?.[1]).toMatchObject({ writtenBytes: 0, isClosed: true })
      expect(acceptor.refusals.at(-1)).toMatchObject({
        address: 'stranger',
        error: { code: 'notAuthentic', message: expect.stringContaining('repeated') },
      })
    }
    expect((await outcome(clock, dialing.dial(endpoint, hello, forever))).value).toBeDefined()
    expect(acceptor.refusals).toHaveLength(3)
  })

  it('survives arbitrary bytes from a stranger, and reveals nothing to it', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { maxLength: 5 }), fc.boolean(), async (parts, polite) => {
        const clock = new VirtualClock()
        const network = new MemoryNetwork()
        const acceptor = recordingAcceptor()
        await transportOver(network, clock).listen(endpoint, acceptor.policy)
        const stream = await network.dial(endpoint)
        let received = 0
        stream.attach({ onBytes: (bytes) => (received += bytes.byteLength), onDrain: () => {}, onClosed: () => {} })
        if (polite) stream.write([Buffer.from('MSTR'), Uint8Array.of(1, 1, 1, 0)])
        for (const part of parts) stream.write([part])
        await clock.advance(10_000)
        expect(received).toBe(0)
        expect(acceptor.refusals).toHaveLength(1)
        expect(clock.pending).toBe(0)
        expect(network.streams.flat().every((end) => end.isClosed)).toBe(true)
      }),
      { numRuns: 60 },
    ))

  it('gives up on a master that says nothing, and when its signal says so', async () => {
    const clock = new VirtualClock()
    const network = new MemoryNetwork()
    await network.listen(endpoint, (stream) => stream.attach({ onBytes: () => {}, onDrain: () => {}, onClosed: () => {} }))
    const transport = transportOver(network, clock, { limits: { handshakeMsMax: 500 } })
    expect((await outcome(clock, transport.dial(endpoint, hello, forever))).error).toMatchObject({ code: 'handshakeTimeout' })
    expect(clock.monotonicMs()).toBe(500)
    const abort = new AbortController()
    const dialing = transport.dial(endpoint, hello, abort.signal)
    await clock.settle()
    abort.abort()
    expect((await outcome(clock, dialing)).error).toMatchObject({ code: 'aborted' })
    await clock.settle()
    expect(clock.pending).toBe(0)
  })
})

describe('before a peer is let in', () => {
  const limits = { unauthenticatedConnectionsMax: 8, unauthenticatedPerAddressMax: 3, handshakeMsMax: 10_000 }

  const silent = async (network: MemoryNetwork, address: string): Promise<ByteStream> => {
    const stream = await network.dial(endpoint, forever, address)
    stream.attach({ onBytes: () => {}, onDrain: () => {}, onClosed: () => {} })
    return stream
  }

  it('connections that say nothing are closed after their time, and keep no worker out meanwhile', async () => {
    const clock = new VirtualClock()
    const network = new MemoryNetwork()
    const acceptor = recordingAcceptor()
    const transport = transportOver(network, clock, { limits })
    await transport.listen(endpoint, acceptor.policy)
    for (let count = 0; count < 1_000; count++) await silent(network, `10.0.${count % 50}.1`)
    expect(clock.pending).toBeLessThanOrEqual(limits.unauthenticatedConnectionsMax)
    expect((await outcome(clock, transport.dial(endpoint, hello, forever))).value).toBeDefined()
    await clock.advance(limits.handshakeMsMax)
    const codes = acceptor.refusals.map(({ error }) => error.code)
    expect(codes.filter((code) => code === 'overloaded')).toHaveLength(1_000 + 1 - limits.unauthenticatedConnectionsMax)
    expect(codes.filter((code) => code === 'handshakeTimeout')).toHaveLength(limits.unauthenticatedConnectionsMax - 1)
    expect(clock.pending).toBe(0)
    expect(acceptor.links).toHaveLength(1)
  })

  it('one address evicts only its own connections', async () => {
    const clock = new VirtualClock()
    const network = new MemoryNetwork()
    const acceptor = recordingAcceptor()
    await transportOver(network, clock, { limits }).listen(endpoint, acceptor.policy)
    await silent(network, 'other')
    for (let count = 0; count < 20; count++) await silent(network, 'flood')
    expect(new Set(acceptor.refusals.map(({ address }) => address))).toEqual(new Set(['flood']))
    expect(acceptor.refusals).toHaveLength(17)
  })

  it('a connection that the system could not accept is refused like any other, and the listener goes on', async () => {
    const network = new MemoryNetwork()
    const acceptor = recordingAcceptor()
    const failing: Network = {
      dial: network.dial.bind(network),
      listen: (at, onConnection, onAcceptError) => {
        onAcceptError?.(new ClusterError('overloaded', { message: 'EMFILE' }))
        return network.listen(at, onConnection)
      },
    }
    const clock = new VirtualClock()
    const transport = transportOver(failing, clock)
    await transport.listen(endpoint, acceptor.policy)
    expect(acceptor.refusals).toMatchObject([{ error: { code: 'overloaded', message: 'EMFILE' } }])
    expect((await outcome(clock, transport.dial(endpoint, hello, forever))).value).toBeDefined()
  })

  it('closing the listener closes all connections that are not in yet', async () => {
    const clock = new VirtualClock()
    const network = new MemoryNetwork()
    const listener = await transportOver(network, clock).listen(endpoint, recordingAcceptor().policy)
    await silent(network, 'one')
    await listener.close()
    expect(clock.pending).toBe(0)
  })
})
