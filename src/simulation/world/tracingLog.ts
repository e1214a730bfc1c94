/** The log of a simulated node: its lines are part of the trace. */
import type { Log, LogLevel } from '../../ports/machine.js'
import type { Trace } from './trace.js'
import type { VirtualClock } from './virtualClock.js'

export const tracingLog = (
  trace: Trace,
  clock: VirtualClock,
  node: string,
  keepsDebug2: boolean,
  place: { tag?: string; subtag?: string } = {},
): Log => {
  const path = `${node}/${place.tag ?? ''}/${place.subtag ?? ''}`
  const add = (level: LogLevel) => (message: string) => trace.add(clock.monotonicMs(), path, `${level} ${message}`)
  return {
    error: add('error'),
    warning: add('warning'),
    info: add('info'),
    debug: add('debug'),
    debug2: keepsDebug2 ? add('debug2') : () => undefined,
    keepsDebug2,
    at: (next) => tracingLog(trace, clock, node, keepsDebug2, { ...place, ...next }),
  }
}
