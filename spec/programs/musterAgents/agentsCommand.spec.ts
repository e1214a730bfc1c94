/** muster-agents as an operator meets it where nobody answers: its output, its exit codes, and the keys that it saves. */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runMusterAgents } from '../../../src/programs/musterAgents/agentsCommand.js'
import { ranProgram } from '../ranProgram.js'

const keyLine = `001 host-1 any ${'k'.repeat(64)}\n`
let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'muster-agents-'))
  writeFileSync(join(directory, 'client.keys'), keyLine)
})
afterAll(() => rmSync(directory, { recursive: true }))

const path = (name: string): string => join(directory, name)

/** One agent with a key, for a moment; nobody listens at port 1. */
const briefly = (...argv: readonly string[]) =>
  ranProgram(runMusterAgents, [
    ...['--servers', '127.0.0.1:1', '--agents', '1', '--keys', path('client.keys'), '--duration', '0.2'],
    ...argv,
  ])

describe('muster-agents', () => {
  it('prints its account as text, and says what it was not asked to read', async () => {
    const { code, err, out } = await briefly()
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/^Account of 1 agent after 0\.\d s:\n {2}sent +0 \(not read back: --account was not given\)\n/)
    expect(out).toMatch(/\n {2}connected at the end +0\n/)
  })

  it('prints its account as one line of JSON, of a shape that scripts can rely on', async () => {
    mkdirSync(path('home'))
    const { code, err, out } = await briefly('--json', '--account', path('home'))
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out.split('\n')).toHaveLength(2)
    const account = JSON.parse(out)
    expect(account).toMatchObject({
      agents: 1,
      events: { sent: 0, received: 0, duplicated: 0, lost: 0, inFlight: 0, datagramsMissing: 0, strange: 0, segmentsMissed: 0 },
      enrolledThrough: {},
      connectedTo: {},
    })
    const latency = { count: 0, p50Ms: 0, p95Ms: 0, p99Ms: 0, maxMs: 0 }
    for (const name of ['enrolment', 'startUp', 'keepAlive', 'failover', 'event']) expect(account.latencies[name]).toMatchObject(latency)
    for (const name of ['sent', 'dropped', 'connected', 'enrolled', 'enrolmentsFailed', 'reconnects', 'attemptsFailed'])
      expect(account.counts[name]).toBeTypeOf('number')
    expect(account.counts.attemptsFailed).toBeGreaterThan(0)
  })

  it('saves keys for nobody else to read, also in place of a file that all could read', async () => {
    writeFileSync(path('saved'), 'old')
    chmodSync(path('saved'), 0o644)
    expect(await briefly('--save-keys', path('saved'))).toMatchObject({ code: 0, err: '' })
    expect(readFileSync(path('saved'), 'utf8')).toBe(keyLine)
    expect(statSync(path('saved')).mode & 0o777).toBe(0o600)
  })

  it('names each reason of enrolments that fail once', async () => {
    const argv = ['--servers', '127.0.0.1:1', '--enrol-port', '1', '--enrol', '--agents', '3', '--duration', '0.3']
    const { code, err } = await ranProgram(runMusterAgents, argv)
    expect(code).toBe(0)
    expect(err).toMatch(/^An enrolment failed: [^\n]+\n$/)
  })

  it('says what is wrong in one sentence and exits with 2, and with 0 after --help', async () => {
    expect(await ranProgram(runMusterAgents, ['--enrol'])).toEqual({
      code: 2,
      out: '',
      err: 'ERROR: Wrong arguments: either --servers or --ossec-conf must be given, and not both.\n',
    })
    expect(await ranProgram(runMusterAgents, ['--help'])).toMatchObject({ code: 0, err: '', out: expect.stringContaining('Examples:') })
  })

  it('ends, with its account, when the keys cannot be saved any more', async () => {
    mkdirSync(path('gone'))
    const running = briefly('--save-keys', path('gone/keys'))
    rmSync(path('gone'), { recursive: true })
    const { code, err, out } = await running
    expect({ code, err }).toEqual({ code: 2, err: `ERROR: ${path('gone/keys')} cannot be written\n` })
    expect(out).toContain('Account of 1 agent')
  })
})
