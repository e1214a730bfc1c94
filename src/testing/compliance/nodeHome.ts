/** The home of a node in the suites of Files and AgentFiles: an operator's hand on its disk, whatever the disk is. */
import type { SyncedItems } from '../../domain/files/syncedItems.js'

/** Paths are relative to the home. */
export interface NodeHome {
  /** Creates the directories above it too. The mode is 0660 when left out. */
  readonly write: (path: string, content: string, mode?: number) => void
  readonly mkdir: (path: string) => void
  readonly remove: (path: string) => void
  readonly read: (path: string) => string
  /** The permission bits. */
  readonly modeOf: (path: string) => number
  readonly exists: (path: string) => boolean
  /** Each file below a directory by its path: its mode in octal, a space, and its content. Empty without the directory. */
  readonly filesBelow: (directory: string) => ReadonlyMap<string, string>
  /** Removes it when its case has ended. */
  readonly dispose: () => void
}

/** What a node in these suites is created with. */
export const suiteItems: SyncedItems = {
  items: [
    { dir: 'etc', files: ['client.keys'], mode: 0o640, recursive: false, removeEmptyDirectories: false, reload: false },
    { dir: 'etc/shared', files: 'all', mode: 0o660, recursive: true, removeEmptyDirectories: true, reload: false },
    { dir: 'etc/rules', files: 'all', mode: 0o660, recursive: true, removeEmptyDirectories: false, reload: true },
  ],
  excludedNames: ['ar.conf'],
  excludedEndings: ['~', '.tmp'],
}
