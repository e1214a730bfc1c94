/** Whether there is a directory at a path; false when it cannot be read. */
import { statSync } from 'node:fs'

export const isDirectory = (path: string): boolean => {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}
