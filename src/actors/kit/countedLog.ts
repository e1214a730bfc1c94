/** A log whose lines of errors, warnings and information are counted; whether lines of debug are kept is the log's own matter. */
import type { Tally } from '../../base/tally.js'
import type { Log, LogLevel } from '../../ports/machine.js'

export const countedLog = (log: Log, lines: Tally): Log => {
  const counting =
    (level: LogLevel) =>
    (message: string): void => {
      lines.add(level)
      log[level](message)
    }
  return {
    error: counting('error'),
    warning: counting('warning'),
    info: counting('info'),
    debug: (message) => log.debug(message),
    debug2: (message) => log.debug2(message),
    keepsDebug2: log.keepsDebug2,
    at: (place) => countedLog(log.at(place), lines),
  }
}
