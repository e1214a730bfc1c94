/** A log that keeps only the moments at which a thread of a node begins and ends a round. */
import type { Log } from '../src/ports/machine.js'

/** @param onRound receives the thread's name as the log shows it, e.g. `Agent-info sync` */
export const observedLog = (onRound: (thread: string, moment: 'begins' | 'ends') => void, subtag = ''): Log => ({
  error: () => {},
  warning: () => {},
  info: (message) => {
    if (message === 'Starting.') onRound(subtag, 'begins')
    if (message.startsWith('Finished in ')) onRound(subtag, 'ends')
  },
  debug: () => {},
  debug2: () => {},
  keepsDebug2: false,
  at: (place) => observedLog(onRound, place.subtag ?? subtag),
})
