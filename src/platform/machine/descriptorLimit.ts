/** How many files and sockets this process may have open. */
import { readFileSync } from 'node:fs'

/** What every system gives, where the limit cannot be read. */
const descriptorsOtherwise = 1_024

/** Of a text like that of /proc/PID/limits, the soft limit; Node raises it to the hard one when it starts. */
export const openFilesMax = (limits: string): number | undefined => {
  const [, soft] = /^Max open files\s+(\d+|unlimited)\s/m.exec(limits) ?? []
  if (soft === 'unlimited') return Number.POSITIVE_INFINITY
  return soft === undefined ? undefined : Number(soft)
}

export const descriptorLimit = (): number => {
  try {
    return openFilesMax(readFileSync('/proc/self/limits', 'utf8')) ?? descriptorsOtherwise
  } catch {
    return descriptorsOtherwise
  }
}
