import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readRequestLine, requestLineText } from '../../../src/wire/enrolment/requestLine.js'
import { agentRecordings } from '../../support/agents/enrolmentRecordings.js'

const value = (charsMax: number) =>
  fc.string({ unit: fc.constantFrom('a', 'b', '.', '-', ',', '1', '/', ':'), minLength: 0, maxLength: charsMax })
const optional = value(40)
const lines = fc.record(
  { name: value(60), version: optional, groups: optional, ip: optional, keyHash: optional },
  { requiredKeys: ['name'] },
)

const body = (line: string): string => line.slice(0, -1)

describe('the line of an agent that enrols', () => {
  it('is read as it was written, whatever fields it has', () =>
    fc.assert(
      fc.property(lines, fc.option(fc.stringMatching(/^[ -~]{1,40}$/), { nil: undefined }), (line, password) => {
        const text = requestLineText({ ...line, ...(password !== undefined && { password }) })
        expect(readRequestLine(body(text), password)).toEqual({ ok: true, fields: line })
      }),
    ))

  it('is whole: every truncation has fewer fields, names the one that is cut, or is refused', () =>
    fc.assert(
      fc.property(lines, fc.nat(), (line, cut) => {
        const text = body(requestLineText(line))
        const read = readRequestLine(text.slice(0, cut % text.length), undefined)
        if (!read.ok) {
          expect(read.problem).toBe('request')
          return
        }
        const { unterminated, ...rest } = read.fields
        expect(line).toMatchObject(rest)
        if (unterminated === undefined) expect(Object.keys(rest).length).toBeLessThan(Object.keys(line).length)
      }),
    ))

  it.each([
    ["OSSEC A:'a1' IP:'10.0.0.1 x'", { name: 'a1', unterminated: 'IP' }],
    [`OSSEC A:'a1' IP:'${'1'.repeat(47)}'`, { name: 'a1', unterminated: 'IP' }],
    ["OSSEC A:'a1' V:x' G:'web'", { name: 'a1', version: '', groups: 'web' }],
    ["OSSEC A:'a1' G:'web' V:'v5.0.0' IP:'any'", { name: 'a1', groups: 'web' }],
  ])('is read with the quirks of its reader: %s', (line, fields) => {
    expect(readRequestLine(line, undefined)).toEqual({ ok: true, fields })
  })

  it('never throws, and says nothing of a line without the password', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ minLength: 1 }), (text, password) => {
        readRequestLine(text, undefined)
        const read = readRequestLine(text, password)
        expect(read.ok || read.problem === 'password' || text.startsWith(`OSSEC PASS: ${password} `)).toBe(true)
      }),
    ))

  // agent-auth cuts off the name behind a password of 2 048 characters.
  const whole = agentRecordings.filter(({ request }) => request?.includes('A:') && !request.includes('…'))

  it.each(whole)('is read as agent-auth writes it: $case', ({ args = [], authd_pass, request = '' }) => {
    const argument = (option: string): string | undefined => (args.includes(option) ? args[args.indexOf(option) + 1] : undefined)
    const ofFile = authd_pass?.split('\n')[0]
    const password = argument('-P') ?? (ofFile !== undefined && ofFile.length > 1 ? ofFile : undefined)
    const given = request.startsWith('OSSEC PASS') && password !== undefined ? { password } : {}
    const read = readRequestLine(body(request), given.password)
    expect(read).toMatchObject({ ok: true })
    if (!read.ok) return
    if (args.includes('-A')) expect(read.fields.name).toBe(argument('-A'))
    expect(read.fields.version).toBe('v4.14.7')
    const written = requestLineText({ ...read.fields, ...given })
    if (argument('-G')?.includes("'")) expect(written.length).toBeLessThan(request.length)
    else expect(written).toBe(request)
  })
})
