/** A log that nobody reads, but for the moments at which a thread of a node begins a round. */
import type { Log } from '../src/ports.js'

/** @param onStart hears the thread's name as the log has it, e.g. `Agent-info sync` */
export const observedLog = (onStart: (thread: string) => void, subtag = ''): Log => ({
  error: () => {},
  warning: () => {},
  info: (message) => {
    if (message === 'Starting.') onStart(subtag)
  },
  debug: () => {},
  debug2: () => {},
  at: (place) => observedLog(onStart, place.subtag ?? subtag),
})
