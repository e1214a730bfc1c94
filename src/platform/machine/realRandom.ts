/** The Random of the real world: the operating system's, fit for keys. */
import { randomBytes, randomInt } from 'node:crypto'
import type { Random } from '../../ports/machine.js'

/** The most that `randomInt` takes. */
const steps = 2 ** 48 - 1

export const realRandom: Random = {
  bytes: (count) => randomBytes(count),
  fraction: () => randomInt(steps) / steps,
}
