/** Whether there is a directory at a path; what cannot be looked at is none. */
import { statSync } from 'node:fs'

export const isDirectory = (path: string): boolean => {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}
