/** A log that keeps its lines: `level [tag] [subtag] message`. */
import type { Log, LogLevel } from '../../src/ports/machine.js'

export interface RecordingLog extends Log {
  readonly lines: readonly string[]
}

export const recordingLog = (): RecordingLog => {
  const lines: string[] = []
  const at = (tag: string, subtag: string): Log => {
    const add = (level: LogLevel) => (message: string) => {
      lines.push(`${level} [${tag}] [${subtag}] ${message}`)
    }
    return {
      error: add('error'),
      warning: add('warning'),
      info: add('info'),
      debug: add('debug'),
      debug2: add('debug2'),
      keepsDebug2: false,
      at: (place) => at(place.tag ?? tag, place.subtag ?? subtag),
    }
  }
  return { ...at('-', '-'), lines }
}
