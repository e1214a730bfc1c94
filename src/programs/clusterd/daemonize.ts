/**
 * Going to the background: this program starts itself again, detached, and waits until that child says that it works or why
 * it does not, so that an operator sees mistakes where the command was typed and the exit code is right.
 */
import { spawn } from 'node:child_process'

/** Set for the child; its presence says that a parent listens on the IPC channel. */
const childMark = 'WAZUH_CLUSTERD_CHILD'
const startMsMax = 60_000

interface Outcome {
  readonly ok: boolean
  /** What the operator is to read: of a start that went well, or the mistakes. */
  readonly says: readonly string[]
}

const isOutcome = (message: unknown): message is Outcome =>
  typeof message === 'object' &&
  message !== null &&
  'ok' in message &&
  typeof message.ok === 'boolean' &&
  'says' in message &&
  Array.isArray(message.says) &&
  message.says.every((line) => typeof line === 'string')

export const isBackgroundChild = (env: NodeJS.ProcessEnv): boolean => env[childMark] === '1' && process.send !== undefined

/** The child's one report to the waiting parent; a parent that is gone does not matter. */
export const reportToParent = (outcome: Outcome): Promise<void> =>
  new Promise((resolve) => {
    if (!process.send || !process.connected) {
      resolve()
      return
    }
    process.send(outcome, () => {
      if (process.connected) process.disconnect()
      resolve()
    })
  })

/** Starts `script` in the background. Resolves with its report; a child that dies or keeps silent has failed. */
export const daemonize = (script: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Outcome> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, [...process.execArgv, script, ...args], {
      cwd: '/',
      detached: true,
      env: { ...env, [childMark]: '1' },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    const settle = (outcome: Outcome): void => {
      clearTimeout(deadline)
      child.removeAllListeners()
      child.on('error', () => undefined)
      if (child.connected) child.disconnect()
      child.unref()
      resolve(outcome)
    }
    const deadline = setTimeout(() => {
      child.kill('SIGKILL')
      settle({ ok: false, says: [`The daemon was not ready within ${startMsMax / 1000} s and was stopped`] })
    }, startMsMax)
    child.on('message', (message) => {
      if (isOutcome(message)) settle(message)
    })
    child.on('error', (error) => settle({ ok: false, says: [`The daemon could not be started: ${error.message}`] }))
    child.on('exit', (code, signal) =>
      settle({ ok: false, says: [`The daemon ended before it was ready (${signal ?? `exit code ${code}`}); see logs/cluster.log`] }),
    )
  })
