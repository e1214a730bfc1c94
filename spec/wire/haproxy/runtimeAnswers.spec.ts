/** Answers of HAProxy's runtime socket: recorded ones are read, any bytes are taken or refused, and what is cut short is refused. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { versionInInfo } from '../../../src/wire/haproxy/processInfo.js'
import { addCommand, isBalancerName, removeCommand, sentencesIn } from '../../../src/wire/haproxy/runtimeCommand.js'
import { readServersState } from '../../../src/wire/haproxy/serversState.js'
import { readStatTable } from '../../../src/wire/haproxy/statTable.js'

/** Of Debian's HAProxy 2.6; the columns of the statistics are fewer. */
const recordedStates =
  '1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port\n4 wazuh_reporting 1 w1 127.0.0.1 2 8 1 1 0 1 0 2 6 0 0 0 - 31514 - 0 0 - - 0\n4 wazuh_reporting 2 w4 ::1 0 1 1 1 0 1 0 0 2 0 0 0 - 31514 - 0 0 - - 0\n4 wazuh_reporting 3 w2 - 2 0 1 1 0 1 0 0 0 0 0 0 foo.example 31514 - 0 0 - - 0\n\n'
const recordedStat =
  '# pxname,svname,qcur,scur,status,weight,check_status,last_chk,addr,\nwazuh_reporting,w1,0,3,UP 1/3,1,INI,,127.0.0.1:31514,\nwazuh_reporting,w2,0,0,DOWN,1,L7RSP,"TCPCHK got ""a, b""\nat step 3",10.0.0.2:1514,\n\n'

const field = fc.string({ unit: fc.constantFrom('a', 'Z', '0', ' ', ',', '"', '\n', 'ä', ':', '-'), maxLength: 12 })
const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
const name = fc.stringMatching(/^[A-Za-z0-9_.:-]{1,20}$/)

describe("HAProxy's statistics", () => {
  it('are read as HAProxy 2.6 writes them', () => {
    const read = readStatTable(recordedStat)
    expect(read.ok && read.value.map((row) => [row.get('svname'), row.get('scur'), row.get('check_status'), row.get('last_chk')])).toEqual([
      ['w1', '3', 'INI', ''],
      ['w2', '0', 'L7RSP', 'TCPCHK got "a, b"\nat step 3'],
    ])
  })

  it('come out as they went in, whatever their fields hold', () =>
    fc.assert(
      fc.property(fc.array(fc.tuple(field, field, field, field, field, field), { maxLength: 8 }), (rows) => {
        const columns = ['pxname', 'svname', 'scur', 'status', 'check_status', 'more']
        const text = `# ${[columns, ...rows].map((row) => `${row.map(quoted).join(',')}\n`).join('')}\n`
        const read = readStatTable(text)
        expect(read.ok && read.value.map((row) => [...row.values()])).toEqual(rows)
      }),
    ))

  it('are refused at every truncation', () => {
    for (let length = 0; length < recordedStat.length; length++) expect(readStatTable(recordedStat.slice(0, length)).ok).toBe(false)
  })

  it('are taken or refused, whatever the bytes', () =>
    fc.assert(
      fc.property(fc.constantFrom('', '# ', recordedStat), fc.uint8Array({ maxLength: 200 }), (start, bytes) => {
        const read = readStatTable(`${start}${Buffer.from(bytes)}\n\n`)
        if (!read.ok) expect(read.error.code).toBe('malformed')
      }),
    ))
})

describe("HAProxy's state of servers", () => {
  it('is read as HAProxy 2.6 writes it', () => {
    expect(readServersState(recordedStates)).toEqual({
      ok: true,
      value: [
        { name: 'w1', address: '127.0.0.1', port: 31_514, state: 'drain', isUp: true },
        { name: 'w4', address: '::1', port: 31_514, state: 'maintenance', isUp: false },
        { name: 'w2', address: '', port: 31_514, state: 'ready', isUp: true },
      ],
    })
  })

  it('is refused at every truncation', () => {
    for (let length = 0; length < recordedStates.length; length++) expect(readServersState(recordedStates.slice(0, length)).ok).toBe(false)
  })

  it('is taken or refused, whatever the bytes, and then its servers are as they can be', () =>
    fc.assert(
      fc.property(fc.constantFrom('', '1\n# ', recordedStates.trimEnd()), fc.uint8Array({ maxLength: 200 }), (start, bytes) => {
        const read = readServersState(`${start}${Buffer.from(bytes)}\n\n`)
        if (!read.ok) expect(read.error.code).toBe('malformed')
        else for (const server of read.value) expect(server.port).toBeLessThanOrEqual(65_535)
      }),
    ))

  it.each([
    ['another version', recordedStates.replace('1\n', '2\n')],
    ['no column of ports', recordedStates.replace('srv_port', 'srv_door')],
    ['a port too large', recordedStates.replace('31514', '65536')],
    ['a state that is no number', recordedStates.replace(' 2 8 ', ' x 8 ')],
    ['a line with fewer fields', recordedStates.replace(' - - 0\n', ' - 0\n')],
    ['an empty line between', recordedStates.replace('\n4 ', '\n\n4 ')],
  ])('is refused: %s', (_, text) => expect(readServersState(text).ok).toBe(false))
})

describe("HAProxy's commands", () => {
  it('are one line each, and name one server, whatever its name', () =>
    fc.assert(
      fc.property(name, name, fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 1, max: 65_535 }), (backend, server, address, port) => {
        for (const command of [addCommand({ backend, name: server }, address, port), removeCommand({ backend, name: server })]) {
          expect(command).not.toContain('\n')
          expect(command.split(';')).toHaveLength(3)
          for (const part of command.split(';')) expect(part.split(' ')).toContain(`${backend}/${server}`)
        }
      }),
    ))

  it('cannot be made of a name that would end them', () =>
    fc.assert(
      fc.property(fc.string(), fc.constantFrom(';', '\n', ' ', '/', '\\', '\0', '"'), fc.string(), (before, evil, after) => {
        expect(isBalancerName(`${before}${evil}${after}`)).toBe(false)
      }),
    ))

  it('are answered in sentences', () => {
    expect(sentencesIn('\n\nServer deleted.\n')).toEqual(['Server deleted.'])
    expect(sentencesIn('\n\n')).toEqual([])
  })
})

it("HAProxy's version is found in what it says of itself, and in nothing else", () => {
  expect(versionInInfo('Name: HAProxy\nVersion: 2.6.12-1+deb12u3\nRelease_date: 2025/10/03\n')).toBe('2.6.12-1+deb12u3')
  expect(versionInInfo('Name: nginx\nVersion: 1\n')).toBeUndefined()
  expect(versionInInfo('')).toBeUndefined()
})
