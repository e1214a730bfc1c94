/** What runs inside the agents' files' thread: the operations over the real disk, which keep what they know from task to task. */
import { workerData } from 'node:worker_threads'
import { type CreateAgentFilesOptions, createSynchronousAgentFiles } from '../../disk/agents/synchronousAgentFiles.js'
import { createNodeDisk } from '../machine/nodeDisk.js'
import { calling } from '../machine/threadAnswer.js'
import { runTasks } from '../machine/threadTasks.js'

const options: CreateAgentFilesOptions = workerData

runTasks({ call: calling(createSynchronousAgentFiles(createNodeDisk(), options)) })
