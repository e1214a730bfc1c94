/** The parsers of what the daemons of a real manager answer. */
import { ClusterError } from '../../src/base/errors.js'
import { invariant } from '../../src/base/invariant.js'
import { takenSlices } from '../../src/wire/wazuh/agentStates.js'
import { readGroupsPage } from '../../src/wire/wazuh/groupsRequests.js'
import { LengthFrameReader, lengthFrame } from '../../src/wire/wazuh/lengthFrames.js'
import { readWazuhDbAnswer } from '../../src/wire/wazuh/wazuhDbAnswer.js'
import type { FuzzedParser } from './fuzzParser.js'

const payloadBytesMax = 65_536
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

const object =
  '{"syncreq":[{"id":2,"name":"web-02","ip":"10.0.0.2","version":"Wazuh v4.13.1","node_name":"w1","last_keepalive":1700001002,"connection_status":"active","disconnection_time":0,"group_config_status":"synced","status_code":0,"labels":[{"key":"\\"rack\\"","value":"r1"}]}],"syncreq_keepalive":[{"id":3,"version":"Wazuh v4.14.7"}],"syncreq_status":[{"id":5,"version":"Wazuh v4.14.7","connection_status":"disconnected","disconnection_time":1700002000,"status_code":4}]}'
const list =
  '[{"id":1,"name":"web-01","os_build":"","labels":[{"id":1,"key":"k","value":"v"}]},{"id":5,"connection_status":"disconnected"},{"id":2,"last_keepalive":1700001002}]'
const groups = '[{"data":[{"id":1,"name":"web-01","groups":["default","web"]}],"hash":"194ea86e750efc2b11963c3aa175e512208ec9ba"}]'

export const wazuhParsers: readonly FuzzedParser[] = [
  {
    name: 'manager: frames of its daemons',
    examples: () => [Buffer.concat(['ok []', 'due [{"id":1}]', ''].map((text) => lengthFrame(Buffer.from(text))))],
    parse: (bytes) => {
      const reader = new LengthFrameReader(payloadBytesMax)
      reader.append(bytes)
      let frames = 0
      for (let frame = reader.next(); frame; frame = reader.next()) {
        invariant(frame.length <= payloadBytesMax, 'a frame is within its bound')
        frames += 1
      }
      return `${Math.min(frames, 4)} frames`
    },
  },
  {
    name: 'manager: answers of wazuh-db',
    examples: () => ['ok', `ok ${list}`, `due ${groups}`, 'err Invalid DB query syntax'].map((text) => Buffer.from(text)),
    parse: (bytes) => {
      const read = readWazuhDbAnswer(bytes)
      return read.ok ? read.value.status : read.error.code
    },
  },
  {
    name: 'manager: states of agents',
    examples: () => [Buffer.from(object), Buffer.from(list)],
    parse: (bytes) => {
      let dropped = 0
      try {
        for (const slice of takenSlices(textOf(bytes), 1)) {
          for (const { id } of slice.states.syncreq) invariant(Number.isInteger(id) && id > 0, 'a row is of an agent')
          dropped += slice.dropped
        }
      } catch (thrown) {
        if (thrown instanceof ClusterError) return thrown.code
        throw thrown
      }
      return dropped > 0 ? 'some dropped' : 'taken'
    },
  },
  {
    name: 'manager: groups of agents',
    examples: () => [Buffer.from(groups)],
    parse: (bytes) => {
      const read = readGroupsPage(textOf(bytes))
      if (!read.ok) return read.error.code
      for (const { id } of read.value.rows) invariant(Number.isInteger(id) && id > 0, 'a row is of an agent')
      return read.value.dropped > 0 ? 'some dropped' : 'taken'
    },
  },
]
