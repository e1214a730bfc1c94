/**
 * What an installation into a manager's home consists of, and what is still to be done for one, or to undo it. Decided from what is
 * there, whatever ended an attempt before: a kill, an upgrade of Wazuh's package, an operator's own hand.
 */
import { ok, type Result, refuse } from '../../base/errors.js'

/** All absolute. */
export interface InstallPaths {
  readonly home: string
  /** What wazuh-control starts. */
  readonly program: string
  /** Wazuh's own program, while Muster is installed. */
  readonly kept: string
  readonly record: string
  /** What this process writes before it gets its name. */
  readonly draft: string
}

/** `link`: to a daemon of Muster, made by hand. `other`: no file at all. */
export type ProgramKind = 'file' | 'wrapper' | 'link' | 'other'

export interface FoundProgram {
  readonly kind: ProgramKind
  /** Of files: the same file has the same. */
  readonly inode: string
  readonly sha256: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Of a wrapper. */
  readonly text?: string
}

/** What was done, in a file beside the programs. */
export interface InstallRecord {
  readonly way: 'dpkg-divert' | 'rename'
  /** The path of Wazuh's program. */
  readonly kept: string
  /** Its digest. */
  readonly sha256: string
  /** The daemon of Muster. */
  readonly daemon: string
}

export interface Installation {
  readonly paths: InstallPaths
  readonly program: FoundProgram | undefined
  readonly kept: FoundProgram | undefined
  readonly isDiverted: boolean
  /** A package of dpkg has the program. */
  readonly isPackaged: boolean
  readonly record: InstallRecord | undefined
  /** Of processes that died. */
  readonly drafts: readonly string[]
}

export interface WantedInstallation {
  readonly wrapper: string
  readonly daemon: string
}

/**
 * `keep`: a second name for Wazuh's program. `wrap`: our wrapper in its place. `restore`: the kept one in its place. `unwrap`: away with
 * ours where nothing was kept. `drop`: away with the kept one, which is in its place already or was replaced by a newer one.
 */
export type InstallStep =
  | { readonly kind: 'record'; readonly record: InstallRecord }
  | { readonly kind: 'keep'; readonly inode: string }
  | { readonly kind: 'wrap'; readonly text: string; readonly like: FoundProgram }
  | { readonly kind: 'divert' | 'undivert' | 'restore' | 'unwrap' | 'drop' | 'forget' }

const isOurs = (program: FoundProgram | undefined): boolean => program?.kind === 'wrapper' || program?.kind === 'link'

/** The wrapper is as its makers want it: the content, and mode and owner of the program that it replaces. */
const isWanted = (program: FoundProgram | undefined, like: FoundProgram, text: string): boolean =>
  program?.kind === 'wrapper' && program.text === text && program.mode === like.mode && program.uid === like.uid && program.gid === like.gid

const notAFile = (path: string) =>
  refuse('argumentsInvalid', { message: `${path} is not a file, and is left as it is: move it out of the way` })

/**
 * With a diversion the kept program is the package's, and a file in its place is one that was there before, or a copy. Without one a
 * file in its place is Wazuh's, put there by its installation or a later one.
 */
const isKeptTheTruth = ({ isDiverted, kept, program }: Installation): boolean =>
  kept !== undefined && (isDiverted || isOurs(program) || !program)

const foreign = ({ kept, paths, program, record, isDiverted }: Installation) => {
  for (const [path, found] of [
    [paths.program, program],
    [paths.kept, kept],
  ] as const)
    if (found?.kind === 'other' || (path === paths.kept && isOurs(found))) return notAFile(path)
  if (!kept || program?.kind !== 'file' || program.inode === kept.inode) return undefined
  if (isDiverted && program.sha256 !== kept.sha256 && program.sha256 !== record?.sha256)
    return refuse('argumentsInvalid', {
      message: `${paths.program} is neither Muster's nor the program of Wazuh, which dpkg has as ${paths.kept}: move it out of the way`,
    })
  if (!isDiverted && !record)
    return refuse('argumentsInvalid', { message: `${paths.kept} is there already, and not from Muster: move it out of the way` })
  return undefined
}

const sameRecord = (a: InstallRecord | undefined, b: InstallRecord): boolean =>
  a?.way === b.way && a.kept === b.kept && a.sha256 === b.sha256 && a.daemon === b.daemon

/** In order; none when all is done. */
export const installSteps = (found: Installation, wanted: WantedInstallation): Result<readonly InstallStep[]> => {
  const refused = foreign(found)
  if (refused) return refused
  const { isDiverted, isPackaged, kept, paths, program } = found
  const wazuhs = isKeptTheTruth(found) ? kept : program
  if (!wazuhs || isOurs(wazuhs))
    return refuse('argumentsInvalid', {
      message: `Wazuh's own program is neither ${paths.program} nor ${paths.kept}: install Wazuh's package again`,
    })
  const way = isPackaged || isDiverted ? 'dpkg-divert' : 'rename'
  const after: InstallRecord = { way, kept: paths.kept, sha256: wazuhs.sha256, daemon: wanted.daemon }
  const record: readonly InstallStep[] = sameRecord(found.record, after) ? [] : [{ kind: 'record', record: after }]
  const keep: readonly InstallStep[] = wazuhs === program && program.inode !== kept?.inode ? [{ kind: 'keep', inode: program.inode }] : []
  const divert: readonly InstallStep[] = isPackaged && !isDiverted ? [{ kind: 'divert' }] : []
  const wrap: readonly InstallStep[] = isWanted(program, wazuhs, wanted.wrapper)
    ? []
    : [{ kind: 'wrap', text: wanted.wrapper, like: wazuhs }]
  if (!found.record) return ok([...record, ...keep, ...divert, ...wrap])
  // The digest in the record says which of two programs is the earlier one, as long as there are two.
  return ok(keep.length > 0 ? [...keep, ...record, ...divert, ...wrap] : [...divert, ...wrap, ...record])
}

const takenBack = (found: Installation): readonly InstallStep[] => {
  const { kept, program, record } = found
  if (!kept) return isOurs(program) && (record || program?.kind === 'wrapper') ? [{ kind: 'unwrap' }] : []
  if (kept.inode === program?.inode || !isKeptTheTruth(found)) return [{ kind: 'drop' }]
  return [{ kind: 'restore' }]
}

/** In order; none when there is nothing to undo. */
export const uninstallSteps = (found: Installation): Result<readonly InstallStep[]> => {
  if (installState(found) === 'not installed' && found.drafts.length === 0) return ok([])
  const refused = foreign(found)
  if (refused) return refused
  const { drafts, isDiverted, record } = found
  return ok([
    ...takenBack(found),
    // Last: until the files are back, dpkg goes on writing Wazuh's program where it is kept.
    ...(isDiverted ? [{ kind: 'undivert' } as const] : []),
    ...(record || drafts.length > 0 ? [{ kind: 'forget' } as const] : []),
  ])
}

/** `replaced`: a package of Wazuh put its own program back. `unfinished`: an installation or its undoing was interrupted. */
export type InstallState = 'installed' | 'not installed' | 'replaced' | 'unfinished'

export const installState = ({ isDiverted, isPackaged, kept, program, record }: Installation): InstallState => {
  if (isOurs(program) && kept) return isPackaged && !isDiverted ? 'unfinished' : 'installed'
  if (program?.kind === 'file' && record && kept && program.inode !== kept.inode) return 'replaced'
  return record || isOurs(program) || isDiverted ? 'unfinished' : 'not installed'
}
