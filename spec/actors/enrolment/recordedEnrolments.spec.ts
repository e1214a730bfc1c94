import { describe, expect, it } from 'vitest'
import type { ErrorCode } from '../../../src/base/errors.js'
import type { EnrolmentAnswer } from '../../../src/domain/agents/enrolmentRequest.js'
import { defaultEnrolmentRules, type ForceRules } from '../../../src/domain/agents/replacement.js'
import { passwordIn } from '../../../src/domain/enrolment/passwordFile.js'
import type { EnrolmentOptions } from '../../../src/ports/enrolment.js'
import { type RecordedEnrolment, serverRecordings, textOf } from '../../support/agents/enrolmentRecordings.js'
import { EnrolmentWorld } from '../../support/agents/enrolmentWorld.js'
import { RecordedMaster } from '../../support/agents/recordedMaster.js'

/** When the database was changed, an hour or two before. */
const nowMs = 1_795_662_714_000

const noTimes: ForceRules = { enabled: true, keyMismatch: true, disconnectedMs: undefined, afterRegistrationMs: 0 }
const forces: Readonly<Record<string, ForceRules>> = {
  'force disabled': { ...defaultEnrolmentRules.force, enabled: false },
  'force, no times': noTimes,
  'force, no times, purge no': noTimes,
  'force, no times, no key_mismatch': { ...noTimes, keyMismatch: false },
}

/** Where we answer otherwise on purpose. `answer`: ours; undefined for none. */
const differences: Readonly<Record<string, { readonly why: string; readonly answer: RegExp | undefined }>> = {
  'byte by byte': { why: 'authd misses a newline that comes alone', answer: /^OSSEC K:'/ },
  '129 groups': { why: 'that they are too many is said before one of them is searched for', answer: /^ERROR: Maximum multigroup reached/ },
  'nothing sent for 20 s': { why: 'authd never times out; a deadline ends who says nothing', answer: undefined },
}

/** These are answered by a master of the test with words that no wazuh-authd has. */
const inventedWords = ['9002', '9005', '9006', '9015']

const codes: Readonly<Record<string, ErrorCode>> = {
  9001: 'internal',
  9007: 'duplicateAgentIp',
  9008: 'duplicateAgentName',
  9009: 'agentKeyInvalid',
  9013: 'tooManyAgents',
  9014: 'groupInvalid',
}

/** What the recorded master would have answered through a link of ours. */
const answerOf = ({ cluster_answer: answer }: RecordedEnrolment): EnrolmentAnswer => {
  if (answer === undefined) return { ok: false, code: 'notConnected', message: 'no master' }
  const refused = (code: ErrorCode): EnrolmentAnswer => ({ ok: false, code, message: 'in the words of our master' })
  if (!answer.startsWith('{')) return refused('malformed')
  const { data, error } = JSON.parse(answer)
  if (error === 0) return data ? { ok: true, entry: { ...data, id: Number(data.id) } } : refused('malformed')
  return refused(codes[error] ?? 'internal')
}

const optionsOf = (config: string, lines: readonly RecordedEnrolment[]): Partial<EnrolmentOptions> => {
  const file = lines.find(({ authd_pass }) => authd_pass !== undefined)?.authd_pass
  const isSourceIp = config.startsWith('use_source_ip')
  return {
    isMaster: config !== 'worker',
    usesSourceIp: isSourceIp,
    allowHigherVersions: isSourceIp,
    password: file === undefined ? undefined : passwordIn(file),
  }
}

/** The lines without TLS have nothing to say to what is above it. */
const isAboveTls = ({ case: name, sent }: RecordedEnrolment): boolean => sent !== undefined && !/plain TCP|TLS 1\.1|weak cipher/.test(name)

const titleOf = ({ case: name }: RecordedEnrolment): string => name.replace('authd: ', '')

const replay = async (world: EnrolmentWorld, { answer = '', sent = [] }: RecordedEnrolment, isHalfClosed: boolean) => {
  world.nextKey = /[0-9a-f]{64}/.exec(answer)?.[0] ?? '11'.repeat(32)
  const client = await world.dial()
  for (const part of sent) {
    if (part.wait_ms === undefined) client.send(textOf(part))
    await world.clock.advance(part.wait_ms ?? 0)
  }
  if (isHalfClosed) client.stream.end()
  await world.clock.advance(1)
  return client
}

const configs = [...new Set(serverRecordings.map(({ config = '' }) => config))]

describe('the enrolment service answers as wazuh-authd was recorded to answer', () => {
  it.each(configs)('with the configuration: %s', async (config) => {
    const lines = serverRecordings.filter((line) => line.config === config)
    const options = optionsOf(config, lines)
    const master = new RecordedMaster(forces[config] ?? defaultEnrolmentRules.force, nowMs)
    let line: RecordedEnrolment | undefined
    const world = await EnrolmentWorld.started(options, {
      enrol: async (request) => (config === 'worker' && line ? answerOf(line) : master.enrol(request)),
    })
    let replayed = 0
    for (line of lines) {
      const title = titleOf(line)
      if (line.query !== undefined) master.change(line.query)
      if (!isAboveTls(line) || title in differences || inventedWords.some((number) => title.endsWith(` ${number}`))) continue
      const client = await replay(world, line, title.endsWith('half close'))
      expect({ title, answer: client.answer, isClosed: client.isClosed }).toEqual({
        title,
        answer: line.answer,
        isClosed: line.end === 'closed by authd',
      })
      // An agent reads one TLS record as one answer.
      expect(client.reads.length).toBeLessThanOrEqual(1)
      client.stream.destroy()
      replayed += 1
    }
    expect(replayed).toBeGreaterThanOrEqual(5)
    await world.server.stop()
  })

  it.each(Object.entries(differences))('but for: %s ($why)', async (title, { answer }) => {
    const line = serverRecordings.find((recorded) => titleOf(recorded) === title)
    if (!line) throw new Error(title)
    const world = await EnrolmentWorld.started({}, new RecordedMaster(defaultEnrolmentRules.force, nowMs))
    const client = await replay(world, line, title.endsWith('half close'))
    await world.clock.advance(20_000)
    expect(client.isClosed).toBe(true)
    if (answer) expect(client.answer).toMatch(answer)
    else expect(client.answer).toBe('')
    await world.server.stop()
  })
})
