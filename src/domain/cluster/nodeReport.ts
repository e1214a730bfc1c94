/** What a node says of its own machine and of its own files when its master asks it. */
import type { Static } from 'typebox'
import Type from 'typebox'
import { fields, list, type ReadonlyValue, text } from '../../base/fields.js'
import { limits } from '../../base/limits.js'

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
  })

export type NodeReport = ReadonlyValue<Static<ReturnType<typeof nodeReport>>>
