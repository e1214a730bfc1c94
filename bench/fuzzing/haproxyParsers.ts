/** The parsers of what HAProxy's runtime socket answers. */
import { invariant } from '../../src/base/invariant.js'
import { versionInInfo } from '../../src/wire/haproxy/processInfo.js'
import { sentencesIn } from '../../src/wire/haproxy/runtimeCommand.js'
import { readServersState } from '../../src/wire/haproxy/serversState.js'
import { readStatTable } from '../../src/wire/haproxy/statTable.js'
import type { FuzzedParser } from './fuzzParser.js'

const stat =
  '# pxname,svname,qcur,scur,status,weight,check_status,last_chk,addr,\nwazuh_reporting,w1,0,3,UP 1/3,1,INI,,127.0.0.1:31514,\nwazuh_reporting,w2,0,0,DOWN,1,L7RSP,"got ""a, b""\nat step 3",10.0.0.2:1514,\n\n'
const states =
  '1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_fqdn srv_port\n4 wazuh_reporting 1 w1 127.0.0.1 2 8 - 31514\n4 wazuh_reporting 2 w2 ::1 0 1 foo.example 1514\n\n'
const info = 'Name: HAProxy\nVersion: 2.6.12-1+deb12u3\nRelease_date: 2025/10/03\nNbthread: 2\n\n'

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

export const haproxyParsers: readonly FuzzedParser[] = [
  {
    name: 'haproxy: statistics',
    examples: () => [Buffer.from(stat)],
    parse: (bytes) => {
      const read = readStatTable(textOf(bytes))
      if (!read.ok) return read.error.code
      for (const row of read.value) invariant(row.has('svname') && row.has('scur'), 'a line has what is needed')
      return 'taken'
    },
  },
  {
    name: 'haproxy: state of servers',
    examples: () => [Buffer.from(states)],
    parse: (bytes) => {
      const read = readServersState(textOf(bytes))
      if (!read.ok) return read.error.code
      for (const { name, port } of read.value) invariant(name !== '' && port <= 65_535, 'a server is one')
      return 'taken'
    },
  },
  {
    name: 'haproxy: sentences',
    examples: () => [Buffer.from(info), Buffer.from('\n\nServer deleted.\n'), Buffer.from('No such server.\n\n')],
    parse: (bytes) => {
      const text = textOf(bytes)
      for (const sentence of sentencesIn(text)) invariant(sentence !== '' && !sentence.includes('\n'), 'a sentence is a line')
      return versionInInfo(text) === undefined ? 'no version' : 'version'
    },
  },
]
