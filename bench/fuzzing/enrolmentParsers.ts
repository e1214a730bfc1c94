/** The parsers of enrolment, port 1515: what agents ask, and what they are answered. */
import { visibleLine } from '../../src/base/escapeText.js'
import { invariant } from '../../src/base/invariant.js'
import { limits } from '../../src/base/limits.js'
import { isAgentIp, isAgentName } from '../../src/domain/agents/keyLine.js'
import { judgedRequest, type RequestRules } from '../../src/domain/enrolment/judgedRequest.js'
import { LineBuffer } from '../../src/wire/enrolment/lineBuffer.js'
import { errorReply, keyReply, readReply } from '../../src/wire/enrolment/replyText.js'
import { readRequestLine, requestLineText } from '../../src/wire/enrolment/requestLine.js'
import type { FuzzedParser } from './fuzzParser.js'

const password = 'top secret'
const hash = '190d19afc757de29471e8bec96278dcb899ce9de'
const key = '5b1c6a3d0f2e4c8796a5b4c3d2e1f00112233445566778899aabbccddeeff001'
const rules: RequestRules = { isMaster: true, usesSourceIp: false, wazuhVersion: '4.14.7', allowHigherVersions: false, managerName: 'vm' }

const asked = [
  { name: 'agent1' },
  { name: 'agent1', version: 'v4.14.7' },
  { name: 'agent1', version: 'v4.14.7', groups: 'web,db' },
  { name: 'agent1', version: 'v4.14.7', ip: 'src' },
  { name: 'a.b-c_d', version: 'v5.0.0', groups: 'default', ip: '10.1.2.0/255.255.255.0', keyHash: hash },
  { name: 'agent1', ip: '2001:db8::5/64', keyHash: hash },
  { name: 'agent1', groups: Array.from({ length: 140 }, (_, at) => `g${at}`).join(',') },
]

const longestRefusal = 2_047 + '. Unable to add agent'.length
const longestLine = 1_024

/** Split as the first byte says; then everything that is decided before the master is asked. */
const judged = (bytes: Uint8Array, given: string | undefined): string => {
  const buffer = new LineBuffer(limits.enrolmentLineBytesMax)
  const size = 1 + (bytes[0] ?? 0) * 7
  for (let at = 0; at < bytes.byteLength; at += size) {
    const gathered = buffer.add(bytes.subarray(at, at + size))
    if (gathered.kind === 'tooLong') return 'too long'
    if (gathered.kind === 'line') return judgedLine(gathered.line, given)
  }
  return 'partial'
}

const judgedLine = (line: string, given: string | undefined): string => {
  const read = readRequestLine(line, given)
  if (!read.ok) return read.problem
  const judgement = judgedRequest(read.fields, rules, '2001:db8::1')
  if (!judgement.ok) {
    const { code, logs, says } = judgement.refusal
    invariant(errorReply(says).byteLength <= longestRefusal, 'a refusal has a bound')
    invariant(visibleLine(logs) === logs && logs.length <= longestLine, 'a line of the log is one line of visible characters')
    return code
  }
  const { groups, ip, keyHash, name } = judgement.request
  invariant(isAgentName(name) && isAgentIp(ip), 'what goes into client.keys can be read there')
  invariant(groups.length <= limits.groupsPerAgentMax && groups.every((group) => !/[/\s'\\]/.test(group)), 'a group is a name')
  invariant(keyHash === undefined || keyHash.length === hash.length, 'a key hash is one')
  return 'taken'
}

export const enrolmentParsers: readonly FuzzedParser[] = [
  {
    name: 'enrolment: request',
    examples: () => asked.map((line) => Buffer.from(requestLineText(line), 'latin1')),
    parse: (bytes) => judged(bytes, undefined),
  },
  {
    name: 'enrolment: request with a password',
    examples: () => asked.map((line) => Buffer.from(requestLineText({ ...line, password }), 'latin1')),
    parse: (bytes) => judged(bytes, password),
  },
  {
    name: 'enrolment: reply',
    examples: () => [
      keyReply({ id: 1, name: 'agent1', ip: 'any', key }),
      keyReply({ id: 1_234_567, name: 'agent1', ip: '10.0.0.0/8', key }),
      errorReply('Duplicate agent name: agent1'),
    ],
    parse: (bytes) => {
      const reply = readReply(bytes)
      if (reply.kind === 'key') invariant(isAgentName(reply.identity.name) && isAgentIp(reply.identity.ip), 'a key is of an agent')
      return reply.kind
    },
  },
]
