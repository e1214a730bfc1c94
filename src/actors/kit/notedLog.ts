/**
 * A log whose lines of errors, warnings and information are counted, and of which the last that say that something is wrong are kept; whether
 * lines of debug are kept is the log's own matter.
 */
import type { Tally } from '../../base/tally.js'
import type { LastLines } from '../../domain/cluster/monitoring/lastLines.js'
import type { Clock, Log } from '../../ports/machine.js'

export interface LogNotes {
  readonly logLines: Tally
  readonly lastLines: LastLines
}

type Place = Required<Parameters<Log['at']>[0]>

/** @param place where the log stands that is given, as it writes it itself */
export const notedLog = (log: Log, notes: LogNotes, clock: Pick<Clock, 'now'>, place: Place = { tag: 'Cluster', subtag: 'Main' }): Log => {
  const noting =
    (level: 'error' | 'warning') =>
    (message: string): void => {
      notes.logLines.add(level)
      notes.lastLines.add({ atMs: clock.now(), level, text: `[${place.tag}] [${place.subtag}] ${message}` })
      log[level](message)
    }
  return {
    error: noting('error'),
    warning: noting('warning'),
    info: (message) => {
      notes.logLines.add('info')
      log.info(message)
    },
    debug: (message) => log.debug(message),
    debug2: (message) => log.debug2(message),
    keepsDebug2: log.keepsDebug2,
    at: (further) => notedLog(log.at(further), notes, clock, { ...place, ...further }),
  }
}
