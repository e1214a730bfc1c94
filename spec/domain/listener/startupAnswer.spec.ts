import { describe, expect, it } from 'vitest'
import { startupAnswer } from '../../../src/domain/listener/startupAnswer.js'
import { parseAgentControl } from '../../../src/wire/agents/controlMessage.js'

const answerTo = (said: string, allowHigherVersions = false): string => {
  const control = parseAgentControl(Buffer.from(`#!-agent startup ${said}`))
  return control.kind === 'startup' ? startupAnswer(control, { wazuhVersion: '4.14.7', allowHigherVersions }) : control.kind
}

describe('the answer to a start-up', () => {
  it.each([
    ['', 'ack'],
    ['nonsense', 'ack'],
    ['{"version":"v4.14.8"}', 'ack'],
    ['{"version":"4.9.0"}', 'ack'],
    ['{"version":"abc"}', 'ack'],
    ['{"version":"v4.15.0"}', 'versionTooHigh'],
    ['{"version":"v5.0.0"}', 'versionTooHigh'],
    ['{"version":"v10.0"}', 'versionTooHigh'],
    ['{}', 'versionMissing'],
    ['{"version":4}', 'versionMissing'],
  ])('to %s is %s', (said, answer) => {
    expect(answerTo(said)).toBe(answer)
  })

  it('lets newer agents in where that is allowed, but not those that hide their version', () => {
    expect([answerTo('{"version":"v5.0.0"}', true), answerTo('{}', true)]).toEqual(['ack', 'versionMissing'])
  })
})
