import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClusterError, type ErrorCode } from '../../../src/base/errors.js'
import { limits } from '../../../src/base/limits.js'
import type { EnrolmentAnswer, EnrolmentRequest } from '../../../src/domain/agents/enrolmentRequest.js'
import { defaultEnrolmentRules } from '../../../src/domain/agents/replacement.js'
import type { EnrolmentOptions } from '../../../src/ports/enrolment.js'
import { EnrolmentWorld } from '../../support/agents/enrolmentWorld.js'
import { RecordedMaster } from '../../support/agents/recordedMaster.js'

const master = () => new RecordedMaster(defaultEnrolmentRules.force, 0)
const started = (options: Partial<EnrolmentOptions> = {}) => EnrolmentWorld.started(options, master())
const line = (name: string): string => `OSSEC A:'${name}' V:'v4.14.7'\n`
const isKey = (answer: string): boolean => answer.startsWith("OSSEC K:'")

const failing = (code: ErrorCode) => ({ enrol: (): Promise<EnrolmentAnswer> => Promise.reject(new ClusterError(code)) })

describe('the enrolment service', () => {
  it('ends a connection that sends nothing, or its request byte by byte, at its deadline', async () => {
    const world = await started()
    const silent = await world.dial()
    const slow = await world.dial()
    for (let waitedMs = 0; waitedMs < limits.enrolmentRequestMsMax; waitedMs += 1_000) {
      expect([silent.isClosed, slow.isClosed]).toEqual([false, false])
      slow.send('x')
      await world.clock.advance(1_000)
    }
    expect([silent.isClosed, slow.isClosed, silent.answer, slow.answer]).toEqual([true, true, '', ''])
    expect(world.server.counts()).toEqual({ enrolled: 0, refused: 2, handshakesFailed: 0 })
    expect(world.clock.pending).toBeLessThanOrEqual(1)
    await world.server.stop()
    expect(world.clock.pending).toBe(0)
  })

  it('cuts off a peer that closes nothing, or goes on sending after its request', async () => {
    const world = await EnrolmentWorld.started({}, { enrol: () => new Promise(() => {}) })
    const endless = await world.exchange(line('agent1'))
    for (let sent = 0; sent <= limits.enrolmentLineBytesMax; sent += 8_192) endless.send('x'.repeat(8_192))
    await world.clock.advance(1)
    expect(endless.isClosed).toBe(true)
    await world.server.stop()
  })

  it('keeps as many unfinished requests as its bound, and closes the oldest for the next', async () => {
    const world = await started()
    const silent = await Promise.all(
      Array.from({ length: limits.enrolmentReadingMax }, (_, at) => world.dial(`10.0.${at >> 8}.${at & 255}`)),
    )
    expect(isKey((await world.exchange(line('agent1'))).answer)).toBe(true)
    expect(silent.map(({ isClosed }) => isClosed).indexOf(false)).toBe(1)
    await world.server.stop()
    await world.clock.advance(1)
    expect(silent.every(({ isClosed }) => isClosed)).toBe(true)
  })

  it('asks no more of its master at once than its bound, and answers each in its time', async () => {
    const asked: EnrolmentRequest[] = []
    const world = await EnrolmentWorld.started(
      { isMaster: false },
      {
        enrol: (request) => {
          asked.push(request)
          return new Promise(() => {})
        },
      },
    )
    const waiting = await Promise.all(Array.from({ length: limits.enrolmentAskingMax }, () => world.dial()))
    for (const [at, client] of waiting.entries()) client.send(line(`agent${at}`))
    await world.clock.advance(1)
    waiting.push(await world.exchange(line('one-more')))
    expect(asked.length).toBe(limits.enrolmentAskingMax)
    const noMaster = 'ERROR: Cannot comunicate with master. Unable to add agent'
    expect(waiting.filter(({ answer }) => answer === noMaster).length).toBe(1)
    await world.clock.advance(limits.enrolmentAnswerMsMax)
    expect(waiting.every(({ answer, isClosed }) => answer === noMaster && isClosed)).toBe(true)
    await world.server.stop()
  })

  it.each(['notConnected', 'requestTimeout', 'linkLost', 'peerStopping', 'overloaded'] as const)(
    'lets an agent retry on a worker whose master is away: %s',
    async (code) => {
      const world = await EnrolmentWorld.started({ isMaster: false }, failing(code))
      expect((await world.exchange(line('agent1'))).answer).toBe('ERROR: Cannot comunicate with master. Unable to add agent')
      await world.server.stop()
    },
  )

  it('asks for a key of its own for each request, with what the agent asked for and where it is', async () => {
    const asked: EnrolmentRequest[] = []
    const world = await EnrolmentWorld.started(
      {},
      {
        enrol: async (request) => {
          asked.push(request)
          return { ok: true, entry: { id: 7, name: request.name, ip: request.ip, key: request.key } }
        },
      },
    )
    world.nextKey = 'ab'.repeat(32)
    const hash = '190d19afc757de29471e8bec96278dcb899ce9de'
    await world.exchange(`OSSEC A:'agent1' V:'v4.14.7' G:'web,db,web' IP:'srcfoo' K:'${hash}'\n`, 'fe80::1%eth0')
    await world.exchange("OSSEC A:'agent2' IP:'2001:db8::/32' K:'nonsense'\n", '::ffff:10.1.2.3')
    expect(asked).toEqual([
      {
        name: 'agent1',
        ip: 'FE80:0000:0000:0000:0000:0000:0000:0001',
        groups: ['web', 'db'],
        keyHash: hash,
        key: 'ab'.repeat(32),
        source: 'FE80:0000:0000:0000:0000:0000:0000:0001',
      },
      { name: 'agent2', ip: '2001:0DB8:0000:0000:0000:0000:0000:0000/32', groups: [], key: 'ab'.repeat(32), source: '10.1.2.3' },
    ])
    await world.server.stop()
  })

  it('lets in only agents whose certificate names their address, when it must', async () => {
    const world = await started({ agentCa: 'PEM', verifiesHost: true })
    world.network.peerNames = ['agent1', '10.0.0.2', 'fd00::1']
    expect(isKey((await world.exchange(line('agent1'), '10.0.0.2')).answer)).toBe(true)
    expect(isKey((await world.exchange(line('agent2'), 'FD00:0:0:0:0:0:0:1')).answer)).toBe(true)
    expect(await world.exchange(line('agent3'), '10.0.0.3')).toMatchObject({ answer: '', isClosed: true })
    expect(world.network.asked).toMatchObject({ clientCa: 'PEM', ciphers: expect.stringContaining('HIGH'), proxies: [] })
    await world.server.stop()
  })

  it('writes no secret into the log, and a flood of refusals in a few lines', async () => {
    const world = await started({ password: 'topsecret' })
    world.nextKey = 'cd'.repeat(32)
    await world.exchange(`OSSEC PASS: topsecret ${line('agent1')}`)
    for (let at = 0; at < 500; at++) {
      await world.exchange(`OSSEC PASS: topsecre${at} ${line('agent1')}`, `10.${at % 7}.0.1`)
      await world.exchange(`OSSEC PASS: topsecret OSSEC A:'../../etc/passwd\u001b[31m${at}'\n`, `10.${at % 7}.0.2`)
    }
    await world.clock.advance(60_000)
    const log = world.lines.join('\n')
    for (const secret of ['topsecre', 'cdcdcdcd', '\u001b']) expect(log).not.toContain(secret)
    expect(log).toContain('Invalid password provided by 10.0.0.1. Closing connection.')
    expect(log).toContain('more connections from 14 addresses were refused')
    expect(world.lines.length).toBeLessThan(30)
    expect(world.server.counts()).toEqual({ enrolled: 1, refused: 1_000, handshakesFailed: 0 })
    await world.server.stop()
  })

  it('answers whatever it is sent with one answer or none, and serves the next agent', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: 'binary', maxLength: 40 }), { maxLength: 4 }), fc.boolean(), async (parts, ends) => {
        const world = await started()
        const client = await world.dial()
        for (const part of parts) client.send(part)
        if (ends) client.send("OSSEC A:'../x' G:'\0'\n")
        await world.clock.advance(limits.enrolmentRequestMsMax)
        expect(client.isClosed).toBe(true)
        expect(client.reads.length).toBeLessThanOrEqual(1)
        expect(isKey(client.answer)).toBe(false)
        expect(isKey((await world.exchange(line('agent1'))).answer)).toBe(true)
        await world.server.stop()
      }),
      { numRuns: 100 },
    ))

  it('stops with all its connections, whatever they wait for', async () => {
    const world = await EnrolmentWorld.started({}, { enrol: () => new Promise(() => {}) })
    const reading = await world.dial()
    const asking = await world.exchange(line('agent1'))
    await world.server.stop()
    await world.clock.advance(1)
    expect([reading.isClosed, asking.isClosed, asking.answer]).toEqual([true, true, ''])
    expect(world.clock.pending).toBe(0)
  })
})
