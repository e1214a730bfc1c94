/** What wazuh-certs-tool can be asked to do. */
import type { AltName } from '../../domain/certificates/altName.js'
import type { KeyKind } from '../../domain/certificates/keyKinds.js'
import type { Component } from '../../domain/certificates/writtenConfig.js'

export type MakeMode = 'all' | 'admin' | 'ca' | Component

export interface AuthorityPaths {
  readonly certificate: string
  readonly key: string
}

/** Of everything that makes certificates. */
export interface MakingOptions {
  /** Undefined: the default, or for a renewal what the old key is. */
  readonly keyKind: KeyKind | undefined
  readonly days: number
  readonly isCompatible: boolean
  readonly passphraseFile: string | undefined
  readonly isVerbose: boolean
}

export interface MakeTask extends MakingOptions {
  readonly kind: 'make'
  readonly mode: MakeMode
  readonly authority: AuthorityPaths | undefined
  readonly config: string
  readonly directory: string
  readonly caDays: number
  readonly hasIntermediate: boolean
}

/** Of a command that works in an existing directory, with its CA or one that is elsewhere. */
interface InDirectory extends MakingOptions {
  readonly directory: string
  readonly authority: Partial<AuthorityPaths>
}

export interface AddTask extends InDirectory {
  readonly kind: 'add'
  readonly config: string
  /** Undefined: the nodes of config.yml. */
  readonly node: { readonly name: string; readonly addresses: readonly AltName[] } | undefined
}

export interface RenewTask extends InDirectory {
  readonly kind: 'renew'
  readonly names: readonly string[] | 'due'
  readonly withinMs: number
  readonly keepsKey: boolean
}

export interface SignTask extends InDirectory {
  readonly kind: 'sign'
  readonly file: string
}

export interface RequestTask {
  readonly kind: 'request'
  readonly name: string
  readonly addresses: readonly AltName[]
  readonly keyKind: KeyKind
  readonly directory: string
}

export interface ShowTask {
  readonly kind: 'list' | 'check'
  readonly directory: string
  readonly withinMs: number
  readonly isJson: boolean
}

export interface BundleTask {
  readonly kind: 'bundle'
  readonly name: string
  readonly directory: string
  readonly file: string
}

export type CommandTask = AddTask | RenewTask | SignTask | RequestTask | ShowTask | BundleTask
export type CertsTask = MakeTask | CommandTask

/** What is printed instead: sentences as lines of the log, then text. Both on stdout, as Wazuh's tool does it. */
export interface PrintedInstead {
  readonly code: number
  readonly errors: readonly string[]
  readonly text: string
}

/** Of a command that Wazuh's tool does not have: one sentence on stderr. */
export interface WrongCommand {
  readonly code: number
  readonly mistake: string
  readonly isJson: boolean
}

export type CertsArguments = { readonly task: CertsTask } | PrintedInstead | WrongCommand
