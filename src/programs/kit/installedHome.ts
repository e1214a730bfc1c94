/** A manager's home into which Muster was installed (programs/muster): what is there then, and whether it still is. */
import { closeSync, constants, existsSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'

/** Relative to the home. */
export const programPath = 'bin/wazuh-clusterd'
export const recordPath = 'bin/.muster-install.json'

/** Every script that replaces Wazuh's program begins with this. */
export const wrapperBeginning = '#!/bin/sh\n# Muster in place of wazuh-clusterd.'

export const isWrapper = (text: string): boolean => text.startsWith(wrapperBeginning)

const beginningOf = (path: string): string => {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const bytes = Buffer.alloc(wrapperBeginning.length)
    return bytes.toString('latin1', 0, readSync(file, bytes, 0, bytes.length, 0))
  } finally {
    closeSync(file)
  }
}

/** Whether Muster was installed, and another program has taken its place since: an upgrade of Wazuh, most likely. */
export const isReplaced = (home: string): boolean => {
  try {
    return existsSync(join(home, recordPath)) && !isWrapper(beginningOf(join(home, programPath)))
  } catch {
    // Nothing to say of what cannot be read.
    return false
  }
}
