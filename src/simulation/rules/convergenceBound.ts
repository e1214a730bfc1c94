/** How long a cluster may take to agree again once nothing goes wrong any more, from its timings. */

import { limits } from '../../base/limits.js'
import { detectionMsMax, silenceDetectionMsMax } from '../../domain/cluster/heartbeat.js'
import type { Timings } from '../../domain/cluster/timings.js'

/** In milliseconds: until every loss was noticed, workers are back, and files and agents are the same everywhere. */
export const convergenceMsMax = (timings: Timings): number => {
  const lossMs = Math.max(
    detectionMsMax({
      intervalMs: timings.keepAliveMs,
      answerMsMax: timings.requestTimeoutMs,
      missedBeatsMax: timings.failedKeepAlivesMax,
    }),
    silenceDetectionMsMax({ checkIntervalMs: timings.checkLastKeepAliveMs, silenceMsMax: timings.silenceMsMax }),
  )
  return (
    lossMs +
    agentsMsMax(timings) +
    timings.transferIdleMsMax +
    3 * timings.connectionRetryMs +
    4 * (timings.syncIntegrityMs + timings.recalculateIntegrityMs) +
    3 * timings.requestTimeoutMs
  )
}

/** All that agents may wait for besides: a full round of groups after every mismatch, batches that are sent again. */
const agentsMsMax = (t: Timings): number => {
  const groupsMs = t.agentGroupStartDelayMs + t.timeoutAgentGroupsMs + (t.agentGroupsMismatchesMax + 2) * t.workerSyncAgentGroupsMs
  return groupsMs + t.masterSyncAgentGroupsMs + 2 * (t.syncAgentInfoMs + t.timeoutAgentInfoMs) + limits.keysTrustedMs
}
