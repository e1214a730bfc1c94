/** The parsers of what Wazuh's local clients send. */
import { invariant } from '../../src/base/invariant.js'
import { ReceivedStrings } from '../../src/localSocket/wazuh/receivedStrings.js'
import { bytesText } from '../../src/wire/wazuh/bytesText.js'
import { ClusterFrameReader, clusterFrames } from '../../src/wire/wazuh/clusterFrame.js'
import { isExceptionJson } from '../../src/wire/wazuh/exceptionJson.js'
import { parseHealthRequest } from '../../src/wire/wazuh/healthJson.js'
import { nodesJson, parseNodesRequest } from '../../src/wire/wazuh/nodesRequest.js'
import { parseSendsync } from '../../src/wire/wazuh/sendsyncRequest.js'
import type { FuzzedParser } from './fuzzParser.js'

const messageBytesMax = 60_000
const dividedMax = 3

const written = (command: string, counter: number, payload: string, isPart = false): Buffer => {
  const frame = Buffer.concat(clusterFrames({ command, counter, payload: Buffer.from(payload) }))
  if (isPart) frame.write('d', 19)
  return frame
}

const bytesOf = (...texts: readonly string[]) => texts.map((text) => Buffer.from(text))

const asked =
  '{"filter_node": ["m1"], "offset": 0, "limit": 500, "sort": {"fields": ["name"], "order": "desc"}, "search": {"value": "w", "negation": 0}, "select": ["name", "ip"], "filter_type": "all", "distinct": true}'

export const localParsers: readonly FuzzedParser[] = [
  {
    name: 'local socket: frames',
    examples: () => [
      Buffer.concat([written('get_nodes', 1, asked), written('sendrreload', 2, ''), written('echo-c', 3, 'keepalive')]),
      Buffer.concat([written('dapi', 4, '{"f":', true), written('dapi', 5, 'x', true), written('dapi', 4, '{}}')]),
    ],
    parse: (bytes) => {
      const reader = new ClusterFrameReader({ messageBytesMax, dividedMax })
      const middle = bytes.byteLength >> 1
      let messages = 0
      for (const part of [bytes.subarray(0, middle), bytes.subarray(middle)]) {
        reader.append(part)
        for (;;) {
          const next = reader.next()
          if (!next.ok) return next.error.code
          if (!next.value) break
          invariant(next.value.payload.byteLength <= messageBytesMax && next.value.command.length <= 11, 'a message is within its bounds')
          invariant(/^b(['"]).*\1$/s.test(bytesText(next.value.command)), 'a command can be shown')
          messages += 1
        }
        invariant(reader.held <= messageBytesMax, 'what waits is within its bound')
      }
      return `${Math.min(messages, 4)} messages`
    },
  },
  {
    name: 'local socket: get_nodes',
    examples: () => bytesOf(asked, '{}', '{"filter_node":null,"distinct":false}'),
    parse: (bytes) => {
      const read = parseNodesRequest(bytes)
      if (!read.ok) return read.error.code
      const node = { name: 'm1', type: 'master', version: '4.14.7', address: '127.0.0.1' } as const
      invariant(JSON.parse(nodesJson([node], read.value)).totalItems <= 1, 'a node is listed once')
      return 'taken'
    },
  },
  {
    name: 'local socket: get_health',
    examples: () => bytesOf('null', '["m1", "w1"]', '[]', ''),
    parse: (bytes) => {
      const read = parseHealthRequest(bytes)
      return read.ok ? 'taken' : read.error.code
    },
  },
  {
    name: 'local socket: sendsync',
    examples: () => bytesOf('{"daemon_name":"authd","message":{"arguments":{"name":"a","ip":"any"},"function":"add"}}'),
    parse: (bytes) => {
      const read = parseSendsync(Buffer.from(bytes))
      if (!read.ok) return read.error.code
      JSON.parse(read.value.message.toString())
      return 'taken'
    },
  },
  {
    name: 'local socket: strings',
    examples: () => bytesOf('5', '1 abc', '1 '),
    parse: (bytes) => {
      const strings = new ReceivedStrings()
      strings.begin(Buffer.from('100'))
      strings.forget(Buffer.from(bytes))
      strings.begin(Buffer.from('100'))
      if (Buffer.from(bytes).includes(' ')) strings.update(Buffer.from(bytes))
      else strings.begin(Buffer.from(bytes))
      return 'taken'
    },
  },
  {
    name: 'local socket: exceptions',
    examples: () => bytesOf('{"__wazuh_exception__":{"__class__":"WazuhError","__object__":{}}}'),
    parse: (bytes) => (isExceptionJson(Buffer.from(bytes).toString()) ? 'exception' : 'other'),
  },
]
