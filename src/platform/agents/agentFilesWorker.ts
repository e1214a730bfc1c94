/** What runs inside the agents' files' thread: the operations over the real disk, which keep what they know from task to task. */
import { workerData } from 'piscina'
import { type CreateAgentFilesOptions, createSynchronousAgentFiles } from '../../disk/agents/synchronousAgentFiles.js'
import type { KeysAnswer, KeysChange, KeysPage } from '../../domain/agents/keyEntry.js'
import type { GroupFile, MergedOutcome } from '../../ports/agents.js'
import { createNodeDisk } from '../machine/nodeDisk.js'
import { answering, type ThreadRefusal } from '../machine/threadAnswer.js'

const options: CreateAgentFilesOptions = workerData
const files = createSynchronousAgentFiles(createNodeDisk(), options)

const done = (act: () => void): null | ThreadRefusal =>
  answering(() => {
    act()
    return null
  })

export const look = ({ all, confirmed }: { all: boolean; confirmed: string }): KeysPage | ThreadRefusal =>
  answering(() => files.look(all, confirmed))
export const nextPage = (): KeysPage | ThreadRefusal => answering(() => files.nextPage())
export const change = (changes: readonly KeysChange[]): readonly KeysAnswer[] | ThreadRefusal => answering(() => files.change(changes))
export const forget = (ids: readonly number[]): null | ThreadRefusal => done(() => files.forget(ids))
export const groups = (): readonly string[] | ThreadRefusal => answering(() => files.groups())
export const groupFiles = (group: string): readonly GroupFile[] | ThreadRefusal => answering(() => files.groupFiles(group))
export const mergedSum = (list: readonly string[]): string | undefined | ThreadRefusal => answering(() => files.mergedSum(list))
export const createGroup = (group: string): null | ThreadRefusal => done(() => files.createGroup(group))
export const createDefaultGroup = (): boolean | ThreadRefusal => answering(() => files.createDefaultGroup())
export const removeGroup = (group: string): null | ThreadRefusal => done(() => files.removeGroup(group))
export const buildMerged = (multigroups: readonly (readonly string[])[]): MergedOutcome | ThreadRefusal =>
  answering(() => files.buildMerged(multigroups))
