/** What runs inside the agents' files' thread: the operations over the real disk, which keep what they know from task to task. */
import { workerData } from 'piscina'
import { type CreateAgentFilesOptions, createSynchronousAgentFiles } from '../../disk/agents/synchronousAgentFiles.js'
import { createNodeDisk } from '../machine/nodeDisk.js'
import { calling } from '../machine/threadAnswer.js'

const options: CreateAgentFilesOptions = workerData

export const call = calling(createSynchronousAgentFiles(createNodeDisk(), options))
