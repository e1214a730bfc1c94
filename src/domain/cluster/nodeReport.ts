/** What a node says of its own machine and of its own files when its master asks it. */
import type { Static } from 'typebox'
import { Type } from 'typebox'
import { count, fields, list, type ReadonlyValue, text, timeMs } from '../../base/fields.js'
import { limits } from '../../base/limits.js'

const address = () => text(limits.reportedAddressCharsMax)
const port = () => Type.Integer({ minimum: 0, maximum: 65_535 })
const programs = () => list(text(limits.processNameCharsMax), limits.reportedProcessesMax)

export const nodeReport = () =>
  fields({
    home: text(limits.pathBytesMax),
    timeZone: text(limits.timeZoneCharsMax),
    utcOffsetMinutes: Type.Integer({ minimum: -24 * 60, maximum: 24 * 60 }),
    /** Of Wazuh's processes, those whose work this node is to do. */
    running: programs(),
    stopped: programs(),
    /** What is wrong with its configuration files now, as `wazuh-clusterd -t` says it; the first of them. */
    mistakes: list(text(limits.errorMessageCharsMax), limits.reportedMistakesMax),
    /** What `<cluster>` says, but for its key. */
    configuration: fields({
      type: Type.Union([Type.Literal('master'), Type.Literal('worker')]),
      port: port(),
      bindAddress: address(),
      nodes: list(address(), limits.reportedAddressesMax),
      hidden: Type.Boolean(),
    }),
    /** Of `<global>`; like `listening` and `lines`, only where the whole report is asked for. */
    agentsDisconnectionMs: Type.Optional(count()),
    /** Where agents report to it: see domain/listener/listeningPlace. */
    listening: Type.Optional(
      list(
        fields({
          port: port(),
          transports: list(Type.Union([Type.Literal('tcp'), Type.Literal('udp')]), 2),
          localIp: address(),
          ipv6: Type.Boolean(),
        }),
        limits.listeningPlacesMax,
      ),
    ),
    /** The last of its log that say that something is wrong, the newest first. */
    lines: Type.Optional(
      list(
        fields({
          atMs: timeMs(),
          level: Type.Union([Type.Literal('error'), Type.Literal('warning')]),
          text: text(limits.lastLineCharsMax),
        }),
        limits.lastLinesMax,
      ),
    ),
    /** Of its HTTP service, when it has one. */
    api: Type.Optional(
      fields({
        address: address(),
        port: port(),
        isSecure: Type.Boolean(),
        asksForCertificates: Type.Boolean(),
        hosts: list(address(), limits.reportedAddressesMax),
      }),
    ),
  })

export type NodeReport = ReadonlyValue<Static<ReturnType<typeof nodeReport>>>
